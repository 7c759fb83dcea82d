use std::time::Duration;

use super::{
    stale::{Keep, Kept},
    tier::{Answer, StandIn},
};
use crate::{
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

/// A failure that something else is to stand in for.
#[expect(missing_debug_implementations, reason = "the error may have none")]
pub struct Failure<O: Outcome> {
    error: O::Error,
    trigger: Trigger,
}

/// Takes a failure out of an outcome, if it is one to fall back from.
///
/// # Errors
///
/// The failure.
#[inline]
pub fn failure<O: Outcome>(
    outcome: O,
    on: On,
    refusals: Option<&Refusals>,
) -> Result<O, Failure<O>> {
    let error = match outcome.into_result() {
        Ok(value) => return Ok(O::from_value(value)),
        Err(error) => error,
    };
    let refused = refusals.is_some_and(|refusals| refusals.last().is_some());
    let trigger = if refused { Trigger::Refused } else { Trigger::Failed };
    match (on, trigger) {
        (On::Failed, Trigger::Refused) | (On::Refused, Trigger::Failed) => Ok(O::from_error(error)),
        _ => Err(Failure { error, trigger }),
    }
}

impl<O: Outcome> Failure<O> {
    /// The last good value, if there is one that is not too old.
    #[cold]
    pub fn stale(&self, site: &Site, kept: &Kept, max_age: Duration) -> Option<O>
    where
        O::Value: Keep,
    {
        let (value, age) = kept.find(max_age)?;
        self.tell_served(site, "stale", Some(age));
        Some(O::from_value(value))
    }

    /// Calls a fallback with the function's arguments.
    pub fn stand_in<'e, F, A, M>(&'e self, fallback: F, arguments: A) -> F::Future
    where
        F: StandIn<'e, A, O::Error, O, M>,
    {
        fallback.call(arguments, &self.error)
    }

    /// Makes a future of a value that stands in.
    pub fn answer<R, M>(&self, answer: R) -> R::Future
    where
        R: Answer<O, M>,
    {
        answer.into_future()
    }

    /// Whether a fallback has a value; tells so, if it has.
    #[cold]
    pub fn served(&self, site: &Site, tier: &'static str, outcome: &O) -> bool {
        let served = outcome.as_result().is_ok();
        if served {
            self.tell_served(site, tier, None);
        }
        served
    }

    /// The outcome where nothing has a value: the last fallback's.
    #[cold]
    pub fn unserved_but(&self, site: &Site, last: O) -> O {
        self.tell_unserved(site);
        last
    }

    /// The outcome where nothing has a value and there was nothing else: the original error.
    #[cold]
    pub fn unserved(self, site: &Site) -> O {
        self.tell_unserved(site);
        O::from_error(self.error)
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
