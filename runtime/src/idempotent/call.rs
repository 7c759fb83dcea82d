//! How a call begins: what tells it from others, and the claim of its key.

use std::{
    cell::Cell,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_core::Serialize;

use super::{
    claiming::ask,
    current::{self, Running},
    encode::Unencodable,
    fingerprint::Fingerprint,
    held::Held,
    key::Key,
    policy::{Idempotent, OnInterrupted, OnStoreError},
    record::Stored,
    store::{Acquired, Claim, Claimed, Reply, Store, StoreError},
    waiting::Waiting,
};
use crate::{
    clock,
    error::Error,
    random::{between, entropy},
    site::Site,
    telemetry::{self, Event, KeyRefusal},
};

/// What can tell one call from another; every `K: Serialize` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell one call from another",
    label = "needs `serde::Serialize`",
    note = "on your own type: `#[derive(serde::Serialize)]`; or name what is in it: `key = order.id`",
    note = "for what an `Arc` holds: `key = *name`"
)]
pub trait Tells: Serialize {}

#[diagnostic::do_not_recommend]
impl<K: Serialize + ?Sized> Tells for K {}

/// The key of a call, evaluated before everything else.
///
/// # Errors
///
/// It is no key.
#[inline]
pub fn key<K: Tells + ?Sized>(scope: &'static str, key: &K) -> Result<Key, Unencodable> {
    Key::new(scope, key)
}

/// The same, for a tenant.
///
/// # Errors
///
/// It is no key, or the tenant is none.
#[inline]
pub fn key_of_tenant<T, K>(scope: &'static str, tenant: &T, key: &K) -> Result<Key, Unencodable>
where
    T: Tells + ?Sized,
    K: Tells + ?Sized,
{
    Key::of_tenant(scope, Some(tenant), key)
}

/// The fingerprint of a call.
///
/// # Errors
///
/// It cannot be serialised.
#[inline]
pub fn fingerprint<T: Tells + ?Sized>(value: &T) -> Result<Fingerprint, Unencodable> {
    Fingerprint::new(value)
}

/// Of a call whose attribute names none.
///
/// # Errors
///
/// None.
#[inline]
pub fn no_fingerprint() -> Result<Fingerprint, Unencodable> {
    Ok(Fingerprint::NONE)
}

/// What `store` may name: a [`Store`], or what stands for one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`store` takes a `steadfast::idempotent::Store`, not `{Self}`",
    label = "not a `Store`",
    note = "wrap it, once: `static ORDERS: LazyLock<Store> = LazyLock::new(|| Store::new(..));`, or a field of type `Store`"
)]
pub trait Names {
    /// The store.
    fn named(&self) -> &Store;
}

impl Names for Store {
    #[inline]
    fn named(&self) -> &Store {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<N: Names + ?Sized> Names for &N {
    #[inline]
    fn named(&self) -> &Store {
        (**self).named()
    }
}

#[diagnostic::do_not_recommend]
impl<N: Names + ?Sized> Names for Arc<N> {
    #[inline]
    fn named(&self) -> &Store {
        (**self).named()
    }
}

#[diagnostic::do_not_recommend]
impl<N: Names, F: FnOnce() -> N> Names for LazyLock<N, F> {
    #[inline]
    fn named(&self) -> &Store {
        (**self).named()
    }
}

/// The store that an attribute names.
#[inline]
pub fn store<N: Names + ?Sized>(named: &N) -> &Store {
    named.named()
}

/// A call, by what tells it from others.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) site: &'static Site,
    store: &'a Store,
    key: Result<Key, Unencodable>,
    fingerprint: Result<Fingerprint, Unencodable>,
}

impl<'a> Call<'a> {
    /// A call that has not claimed its key.
    #[inline]
    pub fn new(
        site: &'static Site,
        store: &'a Store,
        key: Result<Key, Unencodable>,
        fingerprint: Result<Fingerprint, Unencodable>,
    ) -> Self {
        Self { site, store, key, fingerprint }
    }

    /// Claims the key, and waits for whoever holds it.
    pub(super) async fn enter(&self, policy: &Idempotent) -> Result<Entered, Error> {
        let Self { site, store, .. } = *self;
        let name = store.name();
        let (key, fingerprint) = identified(site, name, &self.key, &self.fingerprint)?;
        if !store.knows(site, key.scope()) {
            return Err(refuse(
                site,
                name,
                Some(key),
                Error::ScopeTaken { function: site.function() },
            ));
        }
        let claim = policy.claim(fingerprint);
        // In a box: the future of a call has no room for the rare.
        let mut waiting: Option<Box<Waiting<'_>>> = None;
        loop {
            // A little early, if at all: then the body is given up earlier.
            let sent = clock::coarse_now();
            let answer = match store.claim(key, &claim) {
                // What a replay comes to, at once and without a move: 3 % of one.
                Reply::Now(Some(Ok(Claimed::Done(stored)))) => {
                    return Ok(replay(site, name, Ok(stored)));
                }
                Reply::Now(Some(Ok(claimed))) => Ok(claimed),
                // In a box, as is what waits.
                first => {
                    let runs_anyway = policy.on_store_error == OnStoreError::Run;
                    Box::pin(ask(site, store, key, &claim, first, runs_anyway)).await
                }
            };
            if let (
                Some(waiting),
                Ok(Claimed::Done(_) | Claimed::Failed(_) | Claimed::Interrupted { .. }),
            ) = (&waiting, &answer)
            {
                waiting.tell();
            }
            match answer {
                Ok(Claimed::Acquired(acquired)) => {
                    let outer = current::outer();
                    let running = Running::new(Some(store), key.clone(), &claim, acquired, outer);
                    let held = Held::new(running, store, site, sent, acquired.took_over);
                    return Ok(runs(site, held, policy, acquired.took_over));
                }
                Ok(Claimed::Done(stored)) => return Ok(replay(site, name, Ok(stored))),
                Ok(Claimed::Failed(stored)) => return Ok(replay(site, name, Err(stored))),
                Ok(Claimed::InProgress { remaining, changed }) => {
                    // Perhaps it would wait for itself.
                    if Running::holds(current::outer().as_ref(), Some(store), key) {
                        let function = site.function();
                        return Err(refuse(site, name, Some(key), Error::Reentrant { function }));
                    }
                    let waiting = waiting
                        .get_or_insert_with(|| Box::new(Waiting::new(site, policy, store, key)));
                    if let Err(error) = Box::pin(waiting.wait(remaining, changed)).await {
                        return Err(refuse(site, name, Some(key), error));
                    }
                }
                Ok(Claimed::Interrupted { attempts, interruptions }) => {
                    let function = site.function();
                    let error = Error::Interrupted { function, attempts, interruptions };
                    return Err(refuse(site, name, Some(key), error));
                }
                Ok(Claimed::Mismatch) => {
                    let function = site.function();
                    return Err(refuse(site, name, Some(key), Error::KeyMismatch { function }));
                }
                Err(_) if policy.on_store_error == OnStoreError::Run => {
                    tell_unguarded(site, name);
                    let nobody =
                        Acquired { token: 0, attempt: 1, interruptions: 0, took_over: false };
                    let outer = current::outer();
                    let running = Running::new(Some(store), key.clone(), &claim, nobody, outer);
                    return Ok(Entered::Unguarded(running));
                }
                Err(error) => {
                    return Err(refuse(site, name, Some(key), unanswered(site, name, &error)));
                }
            }
        }
    }
}

/// What came of a call's claim.
pub(super) enum Entered {
    Runs { held: Held, finds_out: bool },
    Unguarded(Arc<Running>),
    Over(Result<Stored, Stored>),
}

fn runs(site: &Site, held: Held, policy: &Idempotent, took_over: bool) -> Entered {
    let finds_out = took_over && policy.on_interrupted == OnInterrupted::FindOut;
    if took_over && !finds_out {
        let (function, store) = (site.function(), held.store.name());
        let Running { key, interruptions, .. } = &*held.running;
        let interruptions = *interruptions;
        telemetry::raise(&Event::EffectMayRepeat { function, store, key, interruptions });
    }
    Entered::Runs { held, finds_out }
}

fn replay(site: &Site, store: &'static str, over: Result<Stored, Stored>) -> Entered {
    tell_replayed(site, store);
    Entered::Over(over)
}

pub(super) fn tell_replayed(site: &Site, store: &'static str) {
    current::note(true);
    let function = site.function();
    telemetry::raise(&Event::CallReplayed { function, store });
}

/// What tells a call from others, if it can be told.
#[inline]
pub(super) fn identified<'k>(
    site: &Site,
    store: &'static str,
    key: &'k Result<Key, Unencodable>,
    fingerprint: &Result<Fingerprint, Unencodable>,
) -> Result<(&'k Key, Fingerprint), Error> {
    match (key, fingerprint) {
        (Ok(key), Ok(fingerprint)) => Ok((key, *fingerprint)),
        (Err(why), _) | (_, Err(why)) => Err(no_key(site, store, why)),
    }
}

/// Tells of a refusal.
#[cold]
pub(super) fn refuse(site: &Site, store: &'static str, key: Option<&Key>, error: Error) -> Error {
    let cause = match &error {
        Error::InProgress { .. } => KeyRefusal::InProgress,
        Error::Interrupted { .. } => KeyRefusal::Interrupted,
        Error::KeyMismatch { .. } => KeyRefusal::Mismatch,
        Error::MissingKey { .. } => KeyRefusal::Missing,
        Error::Reentrant { .. } => KeyRefusal::Reentrant,
        Error::ScopeTaken { .. } => KeyRefusal::ScopeTaken,
        Error::StoreFull { .. } => KeyRefusal::StoreFull,
        Error::TransactionFailed { .. } => KeyRefusal::TransactionFailed,
        _ => KeyRefusal::StoreUnavailable,
    };
    let function = site.function();
    telemetry::raise(&Event::KeyRefused { function, store, cause, key, why: None });
    error
}

#[cold]
fn no_key(site: &Site, store: &'static str, why: &Unencodable) -> Error {
    let function = site.function();
    match why {
        Unencodable::Missing => refuse(site, store, None, Error::MissingKey { function }),
        Unencodable::Unserializable(why) => {
            let (cause, why) = (KeyRefusal::Unserializable, Some(&**why));
            telemetry::raise(&Event::KeyRefused { function, store, cause, key: None, why });
            Error::InvalidKey { function }
        }
    }
}

#[cold]
fn unanswered(site: &Site, store: &'static str, error: &StoreError) -> Error {
    let function = site.function();
    match error {
        StoreError::Full => Error::StoreFull { function, store },
        StoreError::Corrupt(_) | StoreError::Unavailable(_) => {
            Error::StoreUnavailable { function, store }
        }
    }
}

#[cold]
fn tell_unguarded(site: &Site, store: &'static str) {
    let function = site.function();
    telemetry::raise(&Event::RunUnguarded { function, store });
}

impl Idempotent {
    pub(super) fn claim(&self, fingerprint: Fingerprint) -> Claim {
        let lease = self.lease.max(SHORTEST_LEASE);
        let ttl = self.ttl.max(lease);
        // Spread, so that keys which were made together do not go together.
        let spread = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX) / 20;
        let ttl = ttl.saturating_add(std::time::Duration::from_nanos(between(0, spread)));
        let most = match self.on_interrupted {
            OnInterrupted::Fail => 0,
            OnInterrupted::FindOut | OnInterrupted::Rerun => self.max_interruptions,
        };
        Claim::new(new_owner())
            .fingerprint(fingerprint)
            .lease(lease)
            .ttl(ttl)
            .max_interruptions(most)
    }
}

/// One that no other call has, in any process: the process's own number, and a count, of which each
/// thread takes some at a time.
fn new_owner() -> u128 {
    static PROCESS: LazyLock<u64> = LazyLock::new(entropy);
    static TAKEN: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(0) };
    }
    let call = match NEXT.get() {
        next if next % AT_A_TIME == 0 => TAKEN.fetch_add(AT_A_TIME, Ordering::Relaxed),
        next => next,
    };
    NEXT.set(call + 1);
    u128::from(*PROCESS) << 64 | u128::from(call)
}

const AT_A_TIME: u64 = 1 << 10;

const SHORTEST_LEASE: std::time::Duration = std::time::Duration::from_millis(1);
