//! What an expansion calls for a key in its caller's transaction: claimed, run and kept in there.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::{
    call::{identified, refuse, tell_replayed},
    current::{self, Running},
    encode::Unencodable,
    fingerprint::Fingerprint,
    functions::Functions,
    key::Key,
    policy::{Idempotent, OnDuplicate},
    record::Stored,
    result::{Errors, Keep},
    run::{Refusal, Results},
    store::{Claimed, StoreError, Written},
    transaction::TransactionStore,
};
use crate::{
    deadline,
    error::Error,
    outcome::Outcome,
    refusals::Refusals,
    site::Site,
    telemetry::{self, Event},
};

/// A store, by what its transactions run on.
type Stores<'a, C> = &'a dyn TransactionStore<Connection = C>;

/// The store that an attribute names beside a transaction.
#[inline]
pub fn store_in<S: TransactionStore>(named: &S) -> Stores<'_, S::Connection> {
    named
}

/// What the transaction runs on that an attribute names: what it is, or derefs to.
#[inline]
pub fn connection<'c, C: ?Sized>(_: &CallIn<'_, C>, connection: &'c mut C) -> &'c mut C {
    connection
}

/// A call with a transaction, by what tells it from others.
#[expect(missing_debug_implementations, reason = "a store need have none")]
pub struct CallIn<'a, C: ?Sized> {
    site: &'static Site,
    store: Stores<'a, C>,
    key: Result<Key, Unencodable>,
    fingerprint: Result<Fingerprint, Unencodable>,
}

impl<'a, C: ?Sized + Send> CallIn<'a, C> {
    /// A call that has not claimed its key.
    pub fn new(
        site: &'static Site,
        store: Stores<'a, C>,
        key: Result<Key, Unencodable>,
        fingerprint: Result<Fingerprint, Unencodable>,
    ) -> Self {
        Self { site, store, key, fingerprint }
    }

    /// Claims the key: its run, or what came of an earlier one.
    async fn enter(
        &self,
        connection: &mut C,
        policy: &Idempotent,
    ) -> Result<Result<Arc<Running>, Result<Stored, Stored>>, Error> {
        let (site, name) = (self.site, self.store.name());
        let (key, fingerprint) = identified(site, name, &self.key, &self.fingerprint)?;
        let function = site.function();
        let no = |error| Err(refuse(site, name, Some(key), error));
        if !FUNCTIONS.know(site, key.scope()) {
            return no(Error::ScopeTaken { function });
        }
        let outer = current::outer();
        if Running::holds(outer.as_ref(), None, key) {
            return no(Error::Reentrant { function });
        }
        let wait = match policy.on_duplicate {
            OnDuplicate::Reject => Duration::ZERO,
            OnDuplicate::Wait => policy.wait.min(deadline::remaining().unwrap_or(policy.wait)),
        };
        // A run that was cut off halfway, and committed all the same, is for somebody to look at.
        let claim = policy.claim(fingerprint).max_interruptions(0);
        match self.store.claim_in(connection, key, &claim, wait).await {
            Ok(Claimed::Acquired(acquired)) => {
                Ok(Ok(Running::new(None, key.clone(), &claim, acquired, outer)))
            }
            Ok(Claimed::Done(stored)) => Ok(Err(Ok(stored))),
            Ok(Claimed::Failed(stored)) => Ok(Err(Err(stored))),
            Ok(Claimed::InProgress { remaining, .. }) => {
                no(Error::InProgress { function, retry_after: remaining.min(ASK_AGAIN) })
            }
            Ok(Claimed::Interrupted { attempts, interruptions }) => {
                no(Error::Interrupted { function, attempts, interruptions })
            }
            Ok(Claimed::Mismatch) => no(Error::KeyMismatch { function }),
            Err(error) => {
                tell_failed(site, name, "claim", &error);
                no(Error::TransactionFailed { function, store: name })
            }
        }
    }
}

/// A call that runs in a transaction.
#[expect(missing_debug_implementations, reason = "it holds closures of the expansion")]
pub struct RunIn<'a, C: ?Sized, O: Outcome, R> {
    running: Arc<Running>,
    store: Stores<'a, C>,
    site: &'static Site,
    results: Results<O>,
    refuse: R,
}

/// Claims the key of a call in its caller's transaction.
///
/// # Errors
///
/// The outcome of a call that does not run: a duplicate's, or a refusal.
pub async fn begin_in<'a, C, O, R>(
    call: &CallIn<'a, C>,
    connection: &mut C,
    policy: &Idempotent,
    errors: Option<Errors<O::Error>>,
    refuse: R,
) -> Result<RunIn<'a, C, O, R>, O>
where
    C: ?Sized + Send,
    O: Outcome,
    O::Value: Keep,
    R: Fn(Refusal) -> O,
{
    let (site, store) = (call.site, call.store);
    let results = Results::new(errors);
    match call.enter(connection, policy).await {
        Ok(Ok(running)) => Ok(RunIn { running, store, site, results, refuse }),
        Ok(Err(over)) => {
            tell_replayed(site, store.name());
            Err(results.read(over, site).unwrap_or_else(|error| refuse(Refusal(error))))
        }
        Err(error) => Err(refuse(Refusal(error))),
    }
}

impl<C, O, R> RunIn<'_, C, O, R>
where
    C: ?Sized + Send,
    O: Outcome,
    R: Fn(Refusal) -> O,
{
    /// Runs the body, which has the transaction for itself.
    pub async fn body<F: Future<Output = O>>(&self, mut body: Pin<&mut F>) -> O {
        let outcome = poll_fn(|cx| self.running.scope(|| body.as_mut().poll(cx))).await;
        current::note(false);
        outcome
    }

    /// Keeps what came of it, or takes all of it back.
    pub async fn finish_in(
        self,
        connection: &mut C,
        outcome: O,
        refusals: Option<&Refusals>,
        is_final: impl FnOnce(&O::Error) -> bool,
    ) -> O {
        let Running { key, token, .. } = &*self.running;
        let (function, store) = (self.site.function(), self.store.name());
        let result = match outcome.as_result() {
            Ok(value) => Some((true, (self.results.keep)(value))),
            Err(error) => {
                let own = refusals.and_then(Refusals::last).is_some();
                let errors = self.results.errors.as_ref().filter(|_| !own && is_final(error));
                errors.map(|errors| (false, (errors.keep)(error)))
            }
        };
        let Some((succeeded, result)) = result else {
            if let Err(error) = self.store.undo_in(connection, key, *token).await {
                // Then there is nothing left that could be committed.
                tell_failed(self.site, store, "release", &error);
            }
            return outcome;
        };
        if let Stored::TooLarge { .. } | Stored::Unserializable = &result {
            telemetry::raise(&Event::ResultOmitted { function, store, key });
        }
        let completed = self.store.complete_in(connection, key, *token, succeeded, result).await;
        let error = match completed {
            Ok(Written::Yes) => return outcome,
            Ok(Written::LeaseLost) => {
                // The effect must not be committed without its key: the mark is gone, and this fails the rest.
                let _ = self.store.undo_in(connection, key, *token).await;
                StoreError::corrupt("the key is no longer in the transaction")
            }
            Err(error) => error,
        };
        tell_failed(self.site, store, "complete", &error);
        (self.refuse)(Refusal(Error::TransactionFailed { function, store }))
    }
}

fn tell_failed(site: &Site, store: &'static str, operation: &'static str, error: &StoreError) {
    let function = site.function();
    telemetry::raise(&Event::StoreFailed { function, store, operation, error });
}

/// Those that have been called with a transaction.
static FUNCTIONS: LazyLock<Functions> = LazyLock::new(Functions::default);

const ASK_AGAIN: Duration = Duration::from_secs(1);
