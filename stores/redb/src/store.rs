use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
    time::Duration,
};

use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, StoreError, Stored, Written,
};
use tokio::{sync::oneshot, task::spawn_blocking};

use crate::{
    clock::Clock,
    durability::Durability,
    error::{Fault, OpenError},
    handle::{Handle, ended},
    open::Opener,
    options::Options,
    request::{Answer, Operation, Request, What, Write},
    tables::Snapshot,
    writer::closed,
};

/// Keeps keys in a file, where they survive the process and, unless you say otherwise, a power failure.
///
/// A handle is cheap to clone. One thread writes; what callers ask for while it waits for the disk goes
/// into one transaction, with one wait for all of them. A replay does not wait for the writes of others to
/// reach the disk.
///
/// Operations have to be polled within a tokio runtime. When the last handle is dropped, that waits until
/// all that was asked for is written, and the file is closed.
///
/// # Example: a claim that outlives the store
///
/// ```
/// use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, Stored};
/// use steadfast_redb::RedbStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("keys.redb");
/// let key = Key::new("shop::charge", &17)?;
/// let store = RedbStore::open(&path)?;
/// let Claimed::Acquired(acquired) = store.claim(&key, &Claim::new(1)).await? else { panic!() };
/// store.complete(&key, acquired.token, true, Stored::of(&"receipt 4711")).await?;
/// drop(store);
///
/// let store = RedbStore::open(&path)?;
/// assert!(matches!(store.claim(&key, &Claim::new(2)).await?, Claimed::Done(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedbStore(Arc<Inner>);

struct Inner {
    threads: Handle,
    clock: Clock,
    durability: Durability,
    path: PathBuf,
}

impl RedbStore {
    /// Opens a file, or makes one, with the defaults of [`Options`]. It blocks until that is done.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: it is open elsewhere, is damaged or something else, or the operating system refuses.
    ///
    /// # Example: in a folder that is not there
    ///
    /// ```
    /// use steadfast_redb::{OpenError, RedbStore};
    ///
    /// assert!(matches!(RedbStore::open("/no/such/folder/keys"), Err(OpenError::Io(_))));
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Options::new().open(path)
    }

    /// Sets options before opening: [`Options::new`].
    ///
    /// # Example: fewer keys
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("keys.redb");
    /// let store = steadfast_redb::RedbStore::options().max_keys(10_000).open(path)?;
    /// # Ok::<(), steadfast_redb::OpenError>(())
    /// ```
    pub const fn options() -> Options {
        Options::new()
    }

    /// What a claim or a result survives, once the caller has heard of it.
    ///
    /// # Example: printed when the process begins
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("keys.redb");
    /// let store = steadfast_redb::RedbStore::open(path)?;
    /// assert_eq!(store.durability().to_string(), "full: survives a power failure");
    /// # Ok::<(), steadfast_redb::OpenError>(())
    /// ```
    pub fn durability(&self) -> Durability {
        self.0.durability
    }

    pub(crate) fn start(
        opener: Opener,
        path: PathBuf,
        durability: Durability,
        max_keys: u64,
    ) -> Result<Self, OpenError> {
        let (threads, latest) = Handle::start(opener, max_keys)?;
        Ok(Self(Arc::new(Inner { threads, clock: Clock::new(latest), durability, path })))
    }

    /// Checks that the indices are those of the records.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let shared = self.0.threads.shared.read().unwrap_or_else(PoisonError::into_inner);
        crate::tables::check(shared.as_ref().unwrap());
    }

    #[cfg(test)]
    pub(crate) fn now(&self) -> u64 {
        self.0.clock.now()
    }

    /// Asks the writer. Nothing has happened before the first poll.
    async fn ask<T>(
        &self,
        operation: impl FnOnce(Answer<T>) -> Operation,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { now: self.0.clock.now(), operation: operation(answer) };
        self.0.threads.send(request)?;
        answered.await.unwrap_or_else(|_| Err(ended()))
    }

    /// Looks at what is committed, on a thread that may wait for the disk.
    async fn look_at<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Snapshot, u64) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let now = self.0.clock.now();
        let shared = Arc::clone(&self.0.threads.shared);
        let looking = spawn_blocking(move || {
            let shared = shared.read().unwrap_or_else(PoisonError::into_inner);
            let snapshot = Snapshot::of(shared.as_ref().ok_or_else(closed)?)?;
            Ok(look(&snapshot, now)?)
        });
        looking.await.unwrap_or_else(|error| Err(StoreError::unavailable(error)))
    }

    fn write<'a>(&'a self, key: &'a Key, token: u64, what: What) -> Reply<'a, Written> {
        Reply::later(self.ask(move |answer| {
            let write = Write { token, what };
            Operation::Write { key: key.to_bytes(), write, answer }
        }))
    }
}

impl KeyStore for RedbStore {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        Reply::later(self.ask(|answer| {
            let claim = claim.clone();
            Operation::Claim { key: key.to_bytes(), claim, answer }
        }))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        self.write(key, token, What::Renew(lease))
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        self.write(key, token, What::Complete { succeeded, result })
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        self.write(key, token, What::Release)
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.write(key, token, What::Interrupt { ran })
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        Reply::later(async move {
            let bytes = key.to_bytes();
            let found = self.look_at(move |snapshot, now| {
                let record = snapshot.load(&bytes)?;
                Ok(record.filter(|record| !record.is_expired(now)).map(|record| (record, now)))
            });
            Ok(found.await?.map(|(record, now)| Found::new(key.clone(), record, now)))
        })
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        Reply::later(async move {
            let after = after.map(Key::to_bytes);
            self.look_at(move |snapshot, now| snapshot.interrupted(after.as_deref(), limit, now))
                .await
        })
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        Reply::later(self.ask(|answer| {
            let resolution = resolution.clone();
            Operation::Resolve { key: key.to_bytes(), resolution, answer }
        }))
    }

    fn count(&self) -> Reply<'_, Counts> {
        Reply::later(self.look_at(Snapshot::count))
    }

    fn purge(&self) -> Reply<'_, u64> {
        Reply::later(async move {
            let mut purged = 0;
            loop {
                // In parts, so that no caller waits for all of them.
                let some = self.ask(|answer| Operation::Purge { most: AT_A_TIME, answer }).await?;
                purged += some;
                if some < AT_A_TIME as u64 {
                    return Ok(purged);
                }
            }
        })
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("path", &self.0.path)
            .field("durability", &self.0.durability)
            .finish_non_exhaustive()
    }
}

/// Expired keys that one transaction forgets.
const AT_A_TIME: usize = 1_024;
