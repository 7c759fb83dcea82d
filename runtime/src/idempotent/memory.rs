use std::{
    cmp::Ordering as Order,
    collections::{BinaryHeap, HashMap},
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    key::Key,
    record::{Record, State, Stored},
    store::{
        Changed, Claim, Claimed, Counts, Found, KeyStore, Reply, Resolution, StoreError, Written,
    },
};
use crate::{clock, locked::locked};

/// Keeps keys in the memory of the process: the default.
///
/// It guards against duplicates that this process sees, for as long as it lives. A second process, or
/// this one started anew, knows nothing of them.
///
/// It is bounded, and never forgets a key that has not expired to make room for another: when it is full,
/// a new key is refused with [`Error::StoreFull`](crate::Error::StoreFull). Waiting duplicates are woken
/// when the owner finishes, fails or is dropped. What has expired goes as others come, without being
/// looked at. Its clock is tokio's, read to the millisecond.
///
/// | setting | default |
/// |---|---|
/// | [`max_keys`](Self::max_keys) | one million: with a `ttl` of 24 h, eleven new ones a second |
/// | [`max_bytes`](Self::max_bytes) | 256 MiB of results |
///
/// # Example: a small one
///
/// ```
/// use steadfast::idempotent::{Claim, Key, KeyStore, MemoryStore, StoreError};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new().max_keys(1);
/// store.claim(&Key::new("charge", &1)?, &Claim::new(1)).await?;
/// let full = store.claim(&Key::new("charge", &2)?, &Claim::new(2)).await;
/// assert!(matches!(full, Err(StoreError::Full)));
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    max_keys: usize,
    max_bytes: usize,
    taken: Taken,
}

/// What is taken of the room, on a cache line of its own: each call with a new key writes it, and each
/// call reads where the shards are.
#[derive(Default)]
#[repr(align(64))]
struct Taken {
    keys: AtomicUsize,
    /// Of the results.
    bytes: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    // In boxes: a map has empty places too, and their size is that of an entry.
    entries: HashMap<Arc<Key>, Box<Entry>, BuildHasherDefault<ItsOwnHash>>,
    /// When to look whether a key may be forgotten, at least once for each.
    due: BinaryHeap<Due>,
    /// The greatest token so far, of all keys that ever were in here.
    tokens: u64,
}

struct Entry {
    record: Record,
    /// When it is looked at next, to see whether it may be forgotten.
    due: u64,
    /// Wakes the duplicates that wait, if there are any.
    changed: Option<Arc<Notify>>,
}

/// The sooner, the greater.
struct Due {
    at: u64,
    key: Arc<Key>,
}

/// What has been taken out of a shard.
#[derive(Clone, Copy, Default)]
struct Gone {
    keys: usize,
    bytes: usize,
}

impl MemoryStore {
    /// An empty one.
    #[expect(clippy::new_without_default, reason = "it takes 10 KB: nobody should get it unasked")]
    pub fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_keys: 1_000_000,
            max_bytes: 256 << 20,
            taken: Taken::default(),
        }
    }

    /// Limits the keys. Default one million; each takes some 300 bytes beside its result.
    #[must_use]
    pub const fn max_keys(mut self, most: usize) -> Self {
        self.max_keys = most;
        self
    }

    /// Limits what all results take together, in bytes. Default 256 MiB. The result of a call that has run is
    /// kept in any case: once there are more, new keys are refused.
    #[must_use]
    pub const fn max_bytes(mut self, most: usize) -> Self {
        self.max_bytes = most;
        self
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        // Other bits than those by which a map finds its place.
        &self.shards[(key.hash_bits() >> 32) as usize % SHARDS]
    }

    fn claim_now(&self, key: &Key, claim: &Claim) -> Result<Claimed, StoreError> {
        let now = clock::coarse_now();
        for is_purged in [false, true] {
            if is_purged {
                self.purge_now();
            }
            let shard = &mut *locked(self.shard(key));
            if let Some(entry) = shard.entries.get_mut(key) {
                let before = entry.record.result_bytes();
                let mut claimed = entry.record.claim(claim, now, shard.tokens + 1);
                match &mut claimed {
                    Claimed::Acquired(acquired) => {
                        shard.tokens = shard.tokens.max(acquired.token);
                        self.forget(Gone { keys: 0, bytes: before });
                        shard.look_earlier(key);
                    }
                    Claimed::InProgress { changed, .. } => {
                        let notify = entry.changed.get_or_insert_default();
                        // Misses no change from here on, since the record is locked.
                        *changed = Some(Changed::new(Arc::clone(notify).notified_owned()));
                    }
                    _ => {}
                }
                return Ok(claimed);
            }
            self.forget(shard.sweep(now, A_FEW));
            if self.takes_room() {
                return Ok(shard.insert(key, claim, now));
            }
        }
        Err(StoreError::Full)
    }

    fn write(&self, key: &Key, write: impl FnOnce(&mut Record, u64) -> Written) -> Written {
        let now = clock::coarse_now();
        let mut locked = locked(self.shard(key));
        let shard = &mut *locked;
        let Some(entry) = shard.entries.get_mut(key) else { return Written::LeaseLost };
        let bytes = entry.record.result_bytes();
        let written = write(&mut entry.record, now);
        if written == Written::LeaseLost {
            return written;
        }
        let more = entry.record.result_bytes() - bytes;
        if more > 0 {
            self.taken.bytes.fetch_add(more, Ordering::Relaxed);
        }
        let is_over = entry.record.state != State::InProgress;
        let changed = entry.changed.take_if(|_| is_over);
        shard.look_earlier(key);
        drop(locked);
        wake(changed);
        written
    }

    /// Takes the room of one key, if there is some.
    fn takes_room(&self) -> bool {
        if self.taken.bytes.load(Ordering::Relaxed) >= self.max_bytes {
            return false;
        }
        let has_room = self.taken.keys.fetch_add(1, Ordering::Relaxed) < self.max_keys;
        if !has_room {
            self.forget(Gone { keys: 1, bytes: 0 });
        }
        has_room
    }

    /// Forgets all that has expired.
    fn purge_now(&self) -> usize {
        let now = clock::coarse_now();
        let mut purged = 0;
        for shard in &self.shards {
            let gone = locked(shard).sweep(now, usize::MAX);
            purged += gone.keys;
            self.forget(gone);
        }
        purged
    }

    /// All records that this is true of.
    fn find(&self, wanted: impl Fn(&Record, u64) -> bool) -> Vec<Found> {
        let now = clock::coarse_now();
        let mut found = Vec::new();
        for shard in &self.shards {
            for (key, entry) in &locked(shard).entries {
                if wanted(&entry.record, now) && !entry.record.is_expired(now) {
                    found.push(Found::new(Key::clone(key), entry.record.clone(), now));
                }
            }
        }
        found
    }

    fn forget(&self, gone: Gone) {
        if gone.keys > 0 {
            self.taken.keys.fetch_sub(gone.keys, Ordering::Relaxed);
        }
        if gone.bytes > 0 {
            self.taken.bytes.fetch_sub(gone.bytes, Ordering::Relaxed);
        }
    }
}

impl Shard {
    fn insert(&mut self, key: &Key, claim: &Claim, now: u64) -> Claimed {
        self.tokens += 1;
        let (record, acquired) = Record::new(claim, now, self.tokens);
        let key = Arc::new(key.clone());
        let due = record.expires_at;
        self.due.push(Due { at: due, key: Arc::clone(&key) });
        self.entries.insert(key, Box::new(Entry { record, due, changed: None }));
        Claimed::Acquired(acquired)
    }

    /// Looks at a key earlier, where it expires earlier than it did; later is when it has been looked at.
    fn look_earlier(&mut self, key: &Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        if entry.record.expires_at < entry.due {
            entry.due = entry.record.expires_at;
            let at = entry.due;
            if let Some((key, _)) = self.entries.get_key_value(key) {
                self.due.push(Due { at, key: Arc::clone(key) });
            }
        }
    }

    /// Takes out keys that have expired; of so many at most.
    fn sweep(&mut self, now: u64, most: usize) -> Gone {
        let mut gone = Gone::default();
        for _ in 0..most {
            if self.due.peek().is_none_or(|due| due.at > now) {
                break;
            }
            let Some(due) = self.due.pop() else { break };
            let Some(entry) = self.entries.get_mut(&*due.key) else { continue };
            if entry.due != due.at {
                // It is looked at at another time.
                continue;
            }
            if entry.record.is_expired(now) {
                gone.keys += 1;
                gone.bytes += entry.record.result_bytes();
                // Nobody waits for it any more: they did so until its lease was dead.
                self.entries.remove(&*due.key);
            } else {
                // It was put off, or somebody runs it.
                entry.due = entry.record.expires_at.max(entry.record.lease_until).max(now + 1);
                self.due.push(Due { at: entry.due, key: due.key });
            }
        }
        gone
    }
}

/// Without the lock: who is woken may do anything.
fn wake(changed: Option<Arc<Notify>>) {
    if let Some(changed) = changed {
        changed.notify_waiters();
    }
}

impl Record {
    fn result_bytes(&self) -> usize {
        match &self.state {
            State::Done(Stored::Json(json)) | State::Failed(Stored::Json(json)) => json.len(),
            _ => 0,
        }
    }
}

impl KeyStore for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        Reply::now(self.claim_now(key, claim))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        Reply::now(Ok(self.write(key, |record, now| record.renew(token, lease, now))))
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        Reply::now(
            Ok(self.write(key, |record, now| record.complete(token, succeeded, result, now))),
        )
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        Reply::now(Ok(self.write(key, |record, now| record.release(token, now))))
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        Reply::now(Ok(self.write(key, |record, _| record.interrupt(token, ran))))
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        let now = clock::coarse_now();
        let shard = locked(self.shard(key));
        let found = shard.entries.get(key).filter(|entry| !entry.record.is_expired(now));
        let found = found.map(|entry| Found::new(key.clone(), entry.record.clone(), now));
        Reply::now(Ok(found))
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        let mut found: Vec<_> = self
            .find(Record::is_interrupted)
            .into_iter()
            .map(|found| (found.key.to_bytes(), found))
            .filter(|(bytes, _)| after.is_none_or(|after| *bytes > after.to_bytes()))
            .collect();
        found.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Reply::now(Ok(found.into_iter().take(limit).map(|(_, found)| found).collect()))
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        let now = clock::coarse_now();
        let mut locked = locked(self.shard(key));
        let shard = &mut *locked;
        let Some(entry) = shard.entries.get_mut(key) else { return Reply::now(Ok(false)) };
        let resolved = entry.record.resolve(resolution, now, shard.tokens + 1);
        if !resolved {
            return Reply::now(Ok(false));
        }
        shard.tokens = shard.tokens.max(entry.record.token);
        self.taken.bytes.fetch_add(entry.record.result_bytes(), Ordering::Relaxed);
        let changed = entry.changed.take();
        drop(locked);
        wake(changed);
        Reply::now(Ok(true))
    }

    fn count(&self) -> Reply<'_, Counts> {
        let now = clock::coarse_now();
        let mut counts = Counts::default();
        for shard in &self.shards {
            for entry in locked(shard).entries.values() {
                counts.add(&entry.record, now);
            }
        }
        Reply::now(Ok(counts))
    }

    fn purge(&self) -> Reply<'_, u64> {
        Reply::now(Ok(self.purge_now().try_into().unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("keys", &self.taken.keys)
            .field("max_keys", &self.max_keys)
            .field("bytes", &self.taken.bytes)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Order {
        other.at.cmp(&self.at)
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Due {}

/// A key brings its hash along.
#[derive(Default)]
struct ItsOwnHash(u64);

impl Hasher for ItsOwnHash {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

const SHARDS: usize = 64;
/// As many expired keys as a new one takes along: two for one, so that they cannot pile up.
const A_FEW: usize = 2;
