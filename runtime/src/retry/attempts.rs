use std::time::Duration;

use tokio::time::Instant;

use super::{Retry, RetryBudget, Retrying};
use crate::{
    circuit_breaker::guarded::Gate,
    deadline,
    fault::{Answer, Class, Fault},
    outcome::Outcome,
    refusals::{Kind, Refusals},
    site::Site,
    telemetry::{self, Event, Reason, StopCause},
};

/// The attempts of one call: counts them, and says after each whether another follows.
///
/// It is all that a call keeps across its awaits; what holds for every call is in the [`Rules`].
/// Until something has failed it reads no clock, draws no random number and takes no lock.
/// It owns nothing that a dropped future could leave behind.
#[derive(Debug)]
pub struct Attempts {
    /// The last wait, for decorrelated jitter.
    previous: u64,
    /// The attempt that runs, from 1.
    attempt: u32,
}

/// What the attempts of a call go by.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    policy: &'a Retry,
    budget: Option<&'a RetryBudget>,
    site: &'static Site,
    refusals: Option<&'a Refusals>,
    /// The breaker below in the stack, and whether an attempt may wait until it is probed.
    below: Option<(Gate<'a>, bool)>,
}

impl<'a> Rules<'a> {
    /// Takes them together.
    #[inline]
    pub fn new(policy: &'a Retry, budget: Option<&'a RetryBudget>, site: &'static Site) -> Self {
        Self { policy, budget, site, refusals: None, below: None }
    }

    /// With the breaker below in the stack: no attempt is made that it would refuse, whatever `when`
    /// says of its refusals. Where something else can be served at once, none waits for it either.
    #[inline]
    pub fn minding(self, gate: Gate<'a>, waits: bool) -> Self {
        Self { below: Some((gate, waits)), ..self }
    }

    /// With what the others of the stack note of an attempt, to be forgotten before the next.
    #[inline]
    pub fn noting(self, refusals: &'a Refusals) -> Self {
        Self { refusals: Some(refusals), ..self }
    }
}

impl Attempts {
    /// Begins a call.
    #[inline]
    pub fn new(budget: Option<&RetryBudget>) -> Self {
        if let Some(budget) = budget {
            budget.deposit();
        }
        Self { previous: 0, attempt: 1 }
    }

    /// Judges what an attempt returned: the wait before the next, or `None` if it was the last.
    #[inline]
    pub fn after<O: Outcome, A: Answer>(
        &mut self,
        rules: Rules<'_>,
        outcome: &O,
        when: impl FnOnce(&O::Error) -> A,
        unwanted: impl FnOnce(&O::Value) -> bool,
    ) -> Option<Duration> {
        let trouble = match outcome.as_result() {
            Ok(value) if unwanted(value) => Trouble::UnwantedValue,
            Ok(_) => {
                if self.attempt > 1 {
                    self.recovered(rules.site);
                }
                return None;
            }
            Err(error) => Trouble::Error(when(error).into_class()),
        };
        self.failed(rules, trouble)
    }

    /// Tells `on_retry`, after [`after`](Self::after) has said that another attempt follows.
    pub fn notify<O>(&self, wait: Duration, outcome: &O, on_retry: impl FnOnce(&Retrying<'_, O>)) {
        on_retry(&Retrying::new(self.attempt - 1, wait, outcome));
    }

    #[cold]
    #[inline(never)]
    fn recovered(&self, site: &Site) {
        let (function, attempts) = (site.function(), self.attempt);
        telemetry::raise(&Event::RetryRecovered { function, attempts });
    }

    #[cold]
    #[inline(never)]
    fn failed(&mut self, rules: Rules<'_>, trouble: Trouble) -> Option<Duration> {
        let (function, attempt) = (rules.site.function(), self.attempt);
        match self.next_wait(rules, trouble) {
            Ok((wait, reason)) => {
                telemetry::raise(&Event::RetryScheduled { function, attempt, wait, reason });
                self.attempt += 1;
                if let Some(refusals) = rules.refusals {
                    if reason == Reason::Ambiguous || refusals.last() == Some(Kind::Late) {
                        refusals.doubt();
                    }
                    refusals.clear();
                }
                Some(wait)
            }
            Err(cause) => {
                telemetry::raise(&Event::RetryStopped { function, attempts: attempt, cause });
                None
            }
        }
    }

    fn next_wait(
        &mut self,
        Rules { policy, budget, below, .. }: Rules<'_>,
        trouble: Trouble,
    ) -> Result<(Duration, Reason), StopCause> {
        let (reason, hint) = match trouble {
            Trouble::UnwantedValue => (Reason::UnwantedValue, None),
            Trouble::Error(Class::Transient) => (Reason::Transient, None),
            Trouble::Error(Class::Throttled { retry_after }) => (Reason::Throttled, retry_after),
            Trouble::Error(Class::Ambiguous) if policy.safe => (Reason::Ambiguous, None),
            Trouble::Error(Class::Ambiguous) => return Err(StopCause::Ambiguous),
            Trouble::Error(Class::Permanent) => return Err(StopCause::Permanent),
            Trouble::Error(Class::Refused { retry_after }) => (Reason::Refused, retry_after),
        };
        if self.attempt >= policy.max {
            return Err(StopCause::Exhausted);
        }
        if reason == Reason::Refused
            && !hint.is_some_and(|hint| policy.outlasts(hint, self.attempt))
        {
            return Err(StopCause::Refused);
        }
        if hint.is_some_and(|hint| hint > policy.cap) {
            return Err(StopCause::HintBeyondCap);
        }
        // This failure may have been the one at which the breaker opened.
        let open = below.and_then(|(gate, waits)| Some((waits, gate.open_for()?)));
        if open.is_some_and(|(waits, time)| !waits || !policy.outlasts(time, self.attempt)) {
            return Err(StopCause::Refused);
        }
        let hint = hint.max(open.map(|(_, time)| time));
        let wait = policy.wait(self.attempt, &mut self.previous, hint);
        if deadline::remaining().is_some_and(|remaining| wait >= remaining) {
            return Err(StopCause::DeadlineTooNear);
        }
        // Last, so that a retry which does not come about costs no token.
        if budget.is_some_and(|budget| !budget.withdraw(|| Instant::now().into_std())) {
            return Err(StopCause::BudgetExhausted);
        }
        Ok((wait, reason))
    }
}

#[derive(Clone, Copy)]
enum Trouble {
    Error(Class),
    UnwantedValue,
}

/// Without `when`: the error speaks for itself.
pub fn by_fault<E: Fault>(error: &E) -> Class {
    error.class()
}

/// `when = any`.
pub fn any<E>(_: &E) -> bool {
    true
}

/// Without `when_ok`: no value is unwanted.
pub fn no_value<T>(_: &T) -> bool {
    false
}
