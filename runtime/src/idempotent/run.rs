//! What an expansion calls: a call claims its key, runs, and keeps its result.

use std::{
    future::Future, marker::PhantomData, panic::resume_unwind, pin::Pin, sync::Arc, time::Duration,
};

use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::Instrument;

use super::{
    call::{Call, Entered, tell_replayed},
    current::{self, Running},
    held::{Held, Settlement},
    policy::Idempotent,
    record::{State, Stored},
    result::{Errors, Keep},
    store::{StoreError, Written},
    truth::Truth,
};
use crate::{
    error::{CarriesRefusals, Error},
    fault::{Answer, Class},
    outcome::Outcome,
    refusals::{Kind, Refusals, Refuse},
    site::Site,
    telemetry::{self, Event, Interruption, KeyRefusal},
};

/// A refusal by the key, or by its store; it has been told of.
#[derive(Debug)]
pub struct Refusal(pub(super) Error);

impl Refuse for Refusal {
    fn kind(&self) -> Kind {
        Kind::Key
    }

    fn refuse<O: Outcome<Error: CarriesRefusals>>(self, _: &Site) -> O {
        O::from_error(CarriesRefusals::refused(self.0))
    }
}

/// A call that runs.
#[expect(missing_debug_implementations, reason = "it holds closures of the expansion")]
pub struct Run<O: Outcome, R> {
    guard: Guard,
    /// Whether the outcome of an earlier run is to be found out first.
    finds_out: bool,
    site: &'static Site,
    results: Results<O>,
    refuse: R,
}

enum Guard {
    Held(Held),
    /// The store has no answer, and the user takes the risk.
    None(Arc<Running>),
}

/// Is dropped before the key is let go: nobody else may run while it does.
struct DroppedFirst<'b, F>(Pin<&'b mut Option<F>>);

impl<F> Drop for DroppedFirst<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

/// How results are kept and read.
pub(super) struct Results<O: Outcome> {
    pub(super) keep: fn(&O::Value) -> Stored,
    read: fn(&Stored) -> Option<O::Value>,
    pub(super) errors: Option<Errors<O::Error>>,
}

/// Claims the key of a call.
///
/// # Errors
///
/// The outcome of a call that does not run: a duplicate's, or a refusal.
pub async fn begin<O, R>(
    call: &Call<'_>,
    policy: &Idempotent,
    errors: Option<Errors<O::Error>>,
    refuse: R,
) -> Result<Run<O, R>, O>
where
    O: Outcome,
    O::Value: Keep,
    R: Fn(Refusal) -> O,
{
    let site = call.site;
    let results = Results::new(errors);
    let (guard, finds_out) = match call.enter(policy).await {
        Ok(Entered::Runs { held, finds_out }) => (Guard::Held(held), finds_out),
        Ok(Entered::Unguarded(running)) => (Guard::None(running), false),
        Ok(Entered::Over(over)) => {
            return Err(results.read(over, site).unwrap_or_else(|error| refuse(Refusal(error))));
        }
        Err(error) => return Err(refuse(Refusal(error))),
    };
    Ok(Run { guard, finds_out, site, results, refuse })
}

impl<O: Outcome, R> Run<O, R> {
    /// The same, which makes outcomes of refusals in another way: on a task of its own.
    pub fn handed_over<S>(self, refuse: S) -> Run<O, S> {
        let Self { guard, finds_out, site, results, .. } = self;
        Run { guard, finds_out, site, results, refuse }
    }
}

impl<O, R> Run<O, R>
where
    O: Outcome,
    R: Fn(Refusal) -> O,
{
    /// Whether an earlier run was cut off, and [`find_out`](Self::find_out) is to be called.
    pub fn finds_out(&self) -> bool {
        self.finds_out
    }

    /// The outcome's type, for what is found out.
    pub fn outcome(&self) -> PhantomData<O> {
        PhantomData
    }

    /// Finds out what came of an earlier run.
    ///
    /// # Errors
    ///
    /// The outcome, where it is known, or cannot be.
    pub async fn find_out<F>(mut self, asking: Pin<&mut Option<F>>) -> Result<Self, O>
    where
        F: Future<Output = Result<Truth<O::Value>, O::Error>>,
    {
        let mut asking = DroppedFirst(asking);
        let Guard::Held(held) = &mut self.guard else { return Ok(self) };
        if held.is_late() {
            return Err(self.too_late());
        }
        let Some(answer) = held.attend(asking.0.as_mut()).await else {
            asking.0.set(None);
            return Err(Box::pin(self.cut_off(false)).await);
        };
        match answer {
            Ok(Truth::DidNotHappen) => {
                held.begin_anew();
                Ok(self)
            }
            Ok(Truth::Happened(value)) => {
                held.succeeded();
                tell_replayed(self.site, held.store.name());
                let result = (self.results.keep)(&value);
                let settlement = Settlement::Complete { succeeded: true, result };
                Err(self.end(settlement, O::from_result(Ok(value))).await)
            }
            Ok(Truth::Unknown) => {
                let Running { attempt: attempts, interruptions, .. } = *held.running;
                let (function, store) = (self.site.function(), held.store.name());
                let (cause, key) = (KeyRefusal::Interrupted, Some(&held.running.key));
                telemetry::raise(&Event::KeyRefused { function, store, cause, key, why: None });
                let error = Error::Interrupted { function, attempts, interruptions };
                let outcome = (self.refuse)(Refusal(error));
                Err(self.end(Settlement::Interrupt { ran: false }, outcome).await)
            }
            Err(error) => {
                let outcome = O::from_error(error);
                Err(self.end(Settlement::Interrupt { ran: false }, outcome).await)
            }
        }
    }

    /// Runs the body, and keeps what came of it.
    pub async fn finish<F, A>(
        mut self,
        body: Pin<&mut Option<F>>,
        refusals: Option<&Refusals>,
        when: impl FnOnce(&O::Error) -> A,
        is_final: impl FnOnce(&O::Error) -> bool,
    ) -> O
    where
        F: Future<Output = O>,
        A: Answer,
    {
        let mut body = DroppedFirst(body);
        let held = match &mut self.guard {
            Guard::Held(held) => held,
            Guard::None(running) => return unguarded(running, body.0.as_mut()).await,
        };
        if held.is_late() {
            return self.too_late();
        }
        held.begin();
        let Some(outcome) = held.attend(body.0.as_mut()).await else {
            body.0.set(None);
            return Box::pin(self.cut_off(true)).await;
        };
        current::note(false);
        let settlement = match outcome.as_result() {
            Ok(value) => {
                // Before the user's `Serialize` runs, which may panic.
                held.succeeded();
                Settlement::Complete { succeeded: true, result: (self.results.keep)(value) }
            }
            Err(error) => {
                let refused = refusals.and_then(Refusals::last);
                let doubtful = refusals.is_some_and(Refusals::is_doubtful);
                let settlement = self.results.judge(error, refused, doubtful, when, is_final);
                if let Settlement::Interrupt { .. } = settlement {
                    let late = refused.is_some_and(Kind::is_late);
                    held.tell_interrupted(if late {
                        Interruption::Late
                    } else {
                        Interruption::Ambiguous
                    });
                }
                settlement
            }
        };
        self.end(settlement, outcome).await
    }

    /// The claim's answer came when somebody else may have the key already. Nothing has run, and when
    /// this is dropped, the store hears of it.
    #[cold]
    fn too_late(self) -> O {
        let Guard::Held(held) = &self.guard else { return self.lost() };
        let (function, store) = (self.site.function(), held.store.name());
        let error = &StoreError::unavailable("it answered when the lease was over");
        telemetry::raise(&Event::StoreFailed { function, store, operation: "claim", error });
        let cause = KeyRefusal::StoreUnavailable;
        let key = Some(&held.running.key);
        telemetry::raise(&Event::KeyRefused { function, store, cause, key, why: None });
        (self.refuse)(Refusal(Error::StoreUnavailable { function, store }))
    }

    /// The lease was lost while something ran: nobody knows how far it came.
    #[cold]
    async fn cut_off(self, ran: bool) -> O {
        let function = self.site.function();
        if let Guard::Held(held) = &self.guard {
            held.tell_interrupted(Interruption::LeaseLost);
        }
        let outcome = (self.refuse)(Refusal(Error::LeaseLost { function }));
        self.end(Settlement::Interrupt { ran }, outcome).await
    }

    /// Writes what came of the run. Where another owner has taken over, all get that one's result.
    async fn end(mut self, settlement: Settlement, outcome: O) -> O {
        let Guard::Held(held) = &mut self.guard else { return outcome };
        if let Settlement::Complete {
            result: Stored::TooLarge { .. } | Stored::Unserializable,
            ..
        } = &settlement
        {
            let (function, store) = (self.site.function(), held.store.name());
            telemetry::raise(&Event::ResultOmitted { function, store, key: &held.running.key });
        }
        match held.settle(settlement).await {
            Some(Written::LeaseLost) => Box::pin(self.superseded()).await,
            Some(Written::Yes) | None => outcome,
        }
    }

    /// The outcome of the owner who has taken over, if it comes in time.
    #[cold]
    async fn superseded(self) -> O {
        let Guard::Held(held) = &self.guard else { return self.lost() };
        let (store, Running { key, fingerprint, .. }) = (&held.store, &*held.running);
        let (function, name) = (self.site.function(), store.name());
        telemetry::raise(&Event::LeaseLost { function, store: name, key });
        let mut pause = FIRST_PAUSE;
        let give_up = Instant::now() + PATIENCE;
        loop {
            let looked = timeout_at(give_up, store.look(key)).await;
            let record = looked.ok().and_then(Result::ok).flatten().map(|found| found.record);
            // It may be another request by now.
            let record = record.filter(|record| !record.fingerprint.differs_from(*fingerprint));
            let over = match record.map(|record| record.state) {
                Some(State::Done(stored)) => Ok(stored),
                Some(State::Failed(stored)) => Err(stored),
                Some(State::InProgress) if Instant::now() < give_up => {
                    sleep_until((Instant::now() + pause).min(give_up)).await;
                    pause *= 2;
                    continue;
                }
                _ => return self.lost(),
            };
            current::note(true);
            let outcome = self.results.read(over, self.site);
            return outcome.unwrap_or_else(|error| (self.refuse)(Refusal(error)));
        }
    }

    fn lost(&self) -> O {
        (self.refuse)(Refusal(Error::LeaseLost { function: self.site.function() }))
    }
}

impl<O: Outcome> Results<O> {
    pub(super) fn new(errors: Option<Errors<O::Error>>) -> Self
    where
        O::Value: Keep,
    {
        Self { keep: Stored::of, read: Stored::read, errors }
    }

    /// The outcome of a call that has ended before.
    pub(super) fn read(&self, over: Result<Stored, Stored>, site: &Site) -> Result<O, Error> {
        let function = site.function();
        let (stored, outcome) = match over {
            Ok(stored) => {
                let value = (self.read)(&stored);
                (stored, value.map(Ok))
            }
            Err(stored) => {
                let error = self.errors.as_ref().and_then(|errors| (errors.read)(&stored));
                (stored, error.map(Err))
            }
        };
        match (outcome, stored) {
            (Some(outcome), _) => Ok(O::from_result(outcome)),
            (None, Stored::Json(_)) => Err(Error::ResultIncompatible { function }),
            (None, Stored::TooLarge { .. } | Stored::Unserializable) => {
                Err(Error::ResultUnavailable { function })
            }
        }
    }

    /// What an error says of the run. A refusal of steadfast's own is never kept.
    ///
    /// Where an attempt before may have happened, that the last one did not says nothing of the run, unless
    /// it is for good: then the peer has seen the same request, and has decided.
    #[cold]
    fn judge<A: Answer>(
        &self,
        error: &O::Error,
        refused: Option<Kind>,
        doubtful: bool,
        when: impl FnOnce(&O::Error) -> A,
        is_final: impl FnOnce(&O::Error) -> bool,
    ) -> Settlement {
        let class = when(error).into_class();
        match (refused, class) {
            (Some(Kind::Late), _) | (None, Class::Ambiguous) => Settlement::Interrupt { ran: true },
            (Some(_), _)
            | (None, Class::Refused { .. } | Class::Throttled { .. } | Class::Transient)
                if doubtful =>
            {
                Settlement::Interrupt { ran: true }
            }
            (Some(_), _) | (None, Class::Refused { .. }) => Settlement::Release,
            (None, Class::Permanent | Class::Throttled { .. } | Class::Transient) => {
                match &self.errors {
                    Some(errors) if is_final(error) => {
                        Settlement::Complete { succeeded: false, result: (errors.keep)(error) }
                    }
                    _ => Settlement::Release,
                }
            }
        }
    }
}

async fn unguarded<F: Future>(running: &Arc<Running>, mut body: Pin<&mut Option<F>>) -> F::Output {
    std::future::poll_fn(move |cx| match body.as_mut().as_pin_mut() {
        Some(body) => running.scope(|| body.poll(cx)),
        None => std::task::Poll::Pending,
    })
    .await
}

/// Without `cache_err`: no error is final.
pub fn no_error<E>(_: &E) -> bool {
    false
}

/// Runs on a task of its own, which whoever calls cannot cut off.
pub async fn detached<F, O, R>(run: F, refuse: R, site: &'static Site) -> O
where
    F: Future<Output = O> + Send + 'static,
    O: Outcome + Send + 'static,
    R: Fn(Refusal) -> O,
{
    match tokio::spawn(run.in_current_span()).await {
        Ok(outcome) => {
            current::note(false);
            outcome
        }
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is shutting down.
            Err(_) => refuse(Refusal(Error::LeaseLost { function: site.function() })),
        },
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(2);
