//! The mutants: stores with one defect each.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use steadfast::idempotent::{
    Acquired, Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, Store, StoreError,
    Stored, Written,
};

use crate::points::{name_of, named};

/// A defect of a store, as others have had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mutant {
    /// A key in progress is forgotten to make room for others.
    EvictsInProgress,
    /// A result's time also ends a run.
    ExpiresWhileInProgress,
    /// A claim that is sent again, since its reply was lost, is not told that it has taken over.
    ForgetsTakeover,
    /// Nobody takes over from a dead owner.
    LeaseNeverDies,
    /// Whoever completes does so for the owner.
    NoTokenOnComplete,
    /// Who could not record what has happened says that it did not.
    ReleaseAfterFailedComplete,
    /// A takeover does not look whether the owner lives.
    TakeoverWithoutCompare,
    /// The tokens begin anew when the store does.
    TokenRestarts,
    /// Who waits removes what it waits for.
    WaiterDeletes,
    /// A claim that has changed nothing is taken for one that was made.
    ZeroRowsAcquired,
}

impl Mutant {
    /// All of them, and what the arguments call them.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::EvictsInProgress, "evicts_in_progress"),
        (Self::ExpiresWhileInProgress, "expires_while_in_progress"),
        (Self::ForgetsTakeover, "forgets_takeover"),
        (Self::LeaseNeverDies, "lease_never_dies"),
        (Self::NoTokenOnComplete, "no_token_on_complete"),
        (Self::ReleaseAfterFailedComplete, "release_after_failed_complete"),
        (Self::TakeoverWithoutCompare, "takeover_without_compare"),
        (Self::TokenRestarts, "token_restarts"),
        (Self::WaiterDeletes, "waiter_deletes"),
        (Self::ZeroRowsAcquired, "zero_rows_acquired"),
    ];

    /// What the arguments call it.
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        named(&Self::ALL, name)
    }

    /// The check that has to find it.
    pub fn caught_by(self) -> &'static str {
        match self {
            Self::LeaseNeverDies => "liveness",
            Self::NoTokenOnComplete => "one answer",
            Self::TokenRestarts => "tokens rise",
            _ => "at most once",
        }
    }

    /// The server's store, with this defect.
    pub(crate) fn in_front_of(mutant: Option<Self>, store: Store) -> Arc<dyn KeyStore> {
        let (held, overwritten, tokens) = Default::default();
        Arc::new(Broken { store, mutant, held, overwritten, tokens })
    }
}

/// A store with a defect, or with none.
struct Broken {
    store: Store,
    mutant: Option<Mutant>,
    /// The claims so far, in order.
    held: Mutex<Vec<Held>>,
    /// Results that were written over others.
    overwritten: Mutex<HashMap<Key, Stored>>,
    tokens: AtomicU64,
}

#[derive(Clone)]
struct Held {
    key: Key,
    owner: u128,
    since: Instant,
    ttl: Duration,
    token: u64,
    /// What the caller takes it for.
    shown: u64,
}

impl Broken {
    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn token_of(&self, key: &Key) -> Result<u64, StoreError> {
        Ok(self.store.look(key).await?.map_or(0, |found| found.record.token))
    }

    async fn broken_claim(&self, key: &Key, claim: &Claim) -> Result<Claimed, StoreError> {
        let mut claim = claim.clone();
        if self.has(Mutant::LeaseNeverDies) {
            claim.lease = FOR_EVER;
        }
        match self.store.claim(key, &claim).await? {
            Claimed::Acquired(acquired) => self.acquired(key, &claim, acquired).await,
            Claimed::InProgress { remaining, changed } => {
                let token = self.token_of(key).await?;
                match self.mutant {
                    Some(Mutant::TakeoverWithoutCompare) => {
                        let _ = self.store.interrupt(key, token, true).await?;
                        return self.store.claim(key, &claim.max_interruptions(u32::MAX)).await;
                    }
                    Some(Mutant::ZeroRowsAcquired) => {
                        let (attempt, interruptions, took_over) = (1, 0, false);
                        return Ok(Claimed::Acquired(Acquired {
                            token,
                            attempt,
                            interruptions,
                            took_over,
                        }));
                    }
                    Some(Mutant::ExpiresWhileInProgress) if self.is_past_its_time(key) => {
                        let _ = self.store.release(key, token).await?;
                        return self.store.claim(key, &claim).await;
                    }
                    Some(Mutant::WaiterDeletes) => {
                        let _ = self.store.release(key, token).await?;
                    }
                    _ => {}
                }
                Ok(Claimed::InProgress { remaining, changed })
            }
            Claimed::Done(stored) => Ok(Claimed::Done(self.overwritten(key).unwrap_or(stored))),
            other => Ok(other),
        }
    }

    fn overwritten(&self, key: &Key) -> Option<Stored> {
        self.overwritten.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// As `UPDATE … WHERE key = …` does it, whatever is there.
    async fn overwrite(
        &self,
        key: &Key,
        succeeded: bool,
        result: Stored,
    ) -> Result<Written, StoreError> {
        let token = self.token_of(key).await?;
        if self.store.complete(key, token, succeeded, result.clone()).await? == Written::Yes {
            let mut overwritten = self.overwritten.lock().unwrap_or_else(PoisonError::into_inner);
            overwritten.insert(key.clone(), result);
        }
        Ok(Written::Yes)
    }

    async fn acquired(
        &self,
        key: &Key,
        claim: &Claim,
        mut acquired: Acquired,
    ) -> Result<Claimed, StoreError> {
        let token = acquired.token;
        if self.has(Mutant::TokenRestarts) {
            acquired.token = 1 + self.tokens.fetch_add(1, Ordering::Relaxed);
        }
        let shown = acquired.token;
        let oldest = {
            let mut held = self.held();
            let is_again = held.iter().any(|held| held.owner == claim.owner);
            acquired.took_over &= !(is_again && self.has(Mutant::ForgetsTakeover));
            held.push(Held {
                key: key.clone(),
                owner: claim.owner,
                since: Instant::now(),
                ttl: claim.ttl,
                token,
                shown,
            });
            let is_full = self.has(Mutant::EvictsInProgress) && held.len() > ROOM;
            is_full.then(|| held.remove(0))
        };
        if let Some(Held { key, token, .. }) = oldest {
            let _ = self.store.release(&key, token).await?;
        }
        Ok(Claimed::Acquired(acquired))
    }

    fn is_past_its_time(&self, key: &Key) -> bool {
        let held = self.held();
        held.iter().any(|held| held.key == *key && held.since.elapsed() >= held.ttl)
    }

    /// The store's token for the one that a caller has.
    fn real(&self, key: &Key, token: u64) -> u64 {
        if !self.has(Mutant::TokenRestarts) {
            return token;
        }
        let held = self.held();
        held.iter()
            .find(|held| held.key == *key && held.shown == token)
            .map_or(0, |held| held.token)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Broken").field(&self.mutant).finish()
    }
}

impl KeyStore for Broken {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        if self.mutant.is_none() {
            return self.store.claim(key, claim);
        }
        Reply::later(self.broken_claim(key, claim))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        let lease = if self.has(Mutant::LeaseNeverDies) { FOR_EVER } else { lease };
        self.store.renew(key, self.real(key, token), lease)
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        if !self.has(Mutant::NoTokenOnComplete) {
            return self.store.complete(key, self.real(key, token), succeeded, result);
        }
        Reply::later(self.overwrite(key, succeeded, result))
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        self.store.release(key, self.real(key, token))
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.store.interrupt(key, self.real(key, token), ran)
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        self.store.look(key)
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        self.store.interrupted(after, limit)
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        self.store.resolve(key, resolution)
    }

    fn count(&self) -> Reply<'_, Counts> {
        self.store.count()
    }

    fn purge(&self) -> Reply<'_, u64> {
        self.store.purge()
    }
}

const FOR_EVER: Duration = Duration::from_hours(10 * 365 * 24);
/// For so many keys in progress.
const ROOM: usize = 3;
