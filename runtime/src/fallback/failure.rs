use std::{marker::PhantomData, time::Duration};

use super::{
    stale::{Keep, Kept},
    tier::{Answer, StandIn},
};
use crate::{
    fault::{self, Class},
    outcome::Outcome,
    refusals::Refusals,
    site::Site,
    telemetry::{self, Event, Trigger},
};

/// Which failures are fallen back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Every failure.
    Any,
    /// Those of the function itself.
    Failed,
    /// The refusals of the policies below.
    Refused,
}

/// A failure that something else is to stand in for, of a function that returns `Result<T, E>`.
#[expect(missing_debug_implementations, reason = "the error may have none")]
pub struct Failure<T, E> {
    error: E,
    trigger: Trigger,
    value: PhantomData<fn() -> T>,
}

/// What an outcome is taken apart into: itself, or a failure to fall back from.
type Either<O> = Result<
    Result<<O as Outcome>::Value, <O as Outcome>::Error>,
    Failure<<O as Outcome>::Value, <O as Outcome>::Error>,
>;

/// Takes a failure out of an outcome, if it is one to fall back from.
///
/// # Errors
///
/// The failure.
#[inline]
pub fn failure<O: Outcome, A: fault::Answer>(
    outcome: O,
    on: On,
    refusals: Option<&Refusals>,
    when: impl FnOnce(&O::Error) -> A,
) -> Either<O> {
    let error = match outcome.into_result() {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    let refused = refusals.is_some_and(|refusals| refusals.last().is_some());
    let trigger = if refused { Trigger::Refused } else { Trigger::Failed };
    let wanted = match trigger {
        Trigger::Failed => on != On::Refused && when(&error).into_class() != Class::Permanent,
        Trigger::Refused => on != On::Failed,
    };
    if wanted { Err(Failure { error, trigger, value: PhantomData }) } else { Ok(Err(error)) }
}

impl<T, E> Failure<T, E> {
    /// The last good value, if there is one that is not too old.
    #[cold]
    pub fn stale(&self, site: &Site, kept: &Kept, max_age: Duration) -> Option<Result<T, E>>
    where
        T: Keep,
    {
        let (value, age) = kept.find(max_age)?;
        self.tell_served(site, "stale", Some(age));
        Some(Ok(value))
    }

    /// Calls a fallback with the function's arguments, which coerce to those that it takes.
    pub fn stand_in<'e, F, A, M>(&'e self, fallback: F, arguments: A) -> F::Future
    where
        F: StandIn<'e, A, E, Result<T, E>, M>,
    {
        fallback.call(arguments, &self.error)
    }

    /// Makes a future of a value that stands in.
    pub fn answer<R, M>(&self, answer: R) -> R::Future
    where
        R: Answer<Result<T, E>, M>,
    {
        answer.into_future()
    }

    /// Whether a fallback has a value; tells so, if it has.
    #[cold]
    pub fn served(&self, site: &Site, tier: &'static str, outcome: &Result<T, E>) -> bool {
        let served = outcome.is_ok();
        if served {
            self.tell_served(site, tier, None);
        }
        served
    }

    /// The outcome where nothing has a value: the last fallback's.
    ///
    /// # Errors
    ///
    /// Its error.
    #[cold]
    pub fn unserved_but(&self, site: &Site, last: Result<T, E>) -> Result<T, E> {
        self.tell_unserved(site);
        last
    }

    /// The outcome where nothing has a value and there was nothing else.
    ///
    /// # Errors
    ///
    /// The original error.
    #[cold]
    pub fn unserved(self, site: &Site) -> Result<T, E> {
        self.tell_unserved(site);
        Err(self.error)
    }

    fn tell_served(&self, site: &Site, tier: &'static str, age: Option<Duration>) {
        let (function, trigger) = (site.function(), self.trigger);
        telemetry::raise(&Event::FallbackServed { function, tier, trigger, age });
    }

    fn tell_unserved(&self, site: &Site) {
        let (function, trigger) = (site.function(), self.trigger);
        telemetry::raise(&Event::FallbackFailed { function, trigger });
    }
}
