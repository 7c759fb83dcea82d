//! Each event as one of [`tracing`]'s.

use std::time::Duration;

use super::{Event, Reason, StopCause, Trigger};
use crate::circuit_breaker::{Cause, State};

pub(super) fn trace(event: &Event<'_>) {
    match *event {
        Event::CallSlow { function, breaker, took } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "circuit_breaker",
            outcome = "slow",
            breaker,
            took_ms = millis(took),
            "slow call"
        ),
        Event::CircuitChanged { breaker, key, from, to, cause, open_for } => {
            circuit_changed(breaker, key, from, to, cause, open_for);
        }
        Event::CircuitRefused { function, breaker, retry_after } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "circuit_breaker",
            outcome = "refused",
            breaker,
            retry_after_ms = retry_after.map(millis),
            "circuit breaker is open"
        ),
        Event::DeadlineExceeded { function, limit, late, started } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "deadline",
            outcome = if started { "cut_off" } else { "not_started" },
            limit_ms = limit.map(millis),
            late_ms = millis(late),
            "deadline exceeded"
        ),
        Event::FallbackFailed { function, trigger } => fallback_failed(function, trigger),
        Event::FallbackServed { function, tier, trigger, age } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "fallback",
            outcome = "served",
            tier,
            trigger = trigger.as_str(),
            age_ms = age.map(millis),
            "fallback served"
        ),
        Event::RetryRecovered { function, attempts } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "retry",
            outcome = "recovered",
            attempts,
            "succeeded after retries"
        ),
        Event::RetryScheduled { function, attempt, wait, reason } => {
            retry_scheduled(function, attempt, wait, reason);
        }
        Event::RetryStopped { function, attempts, cause } => {
            retry_stopped(function, attempts, cause);
        }
    }
}

fn circuit_changed(
    breaker: &str,
    key: Option<&str>,
    from: State,
    to: State,
    cause: Cause,
    open_for: Option<Duration>,
) {
    // One that opens is somebody's business; that it is probed and closes is good to know.
    if to == State::Open {
        tracing::warn!(
            target: "steadfast",
            breaker,
            policy = "circuit_breaker",
            outcome = to.as_str(),
            key,
            from = from.as_str(),
            cause = cause.as_str(),
            open_for_ms = open_for.map(millis),
            "circuit breaker opened"
        );
    } else {
        tracing::info!(
            target: "steadfast",
            breaker,
            policy = "circuit_breaker",
            outcome = to.as_str(),
            key,
            from = from.as_str(),
            cause = cause.as_str(),
            "circuit breaker changed"
        );
    }
}

fn fallback_failed(function: &str, trigger: Trigger) {
    tracing::warn!(
        target: "steadfast",
        function,
        policy = "fallback",
        outcome = "failed",
        trigger = trigger.as_str(),
        "no fallback had a value"
    );
}

fn retry_scheduled(function: &str, attempt: u32, wait: Duration, reason: Reason) {
    tracing::debug!(
        target: "steadfast",
        function,
        policy = "retry",
        outcome = reason.as_str(),
        attempt,
        wait_ms = millis(wait),
        "attempt failed, will retry"
    );
}

fn retry_stopped(function: &str, attempts: u32, cause: StopCause) {
    // What nobody would have retried is the caller's matter, and what a breaker refused it has told
    // of itself; the rest is a policy at its end, and somebody may have to know.
    if matches!(cause, StopCause::Permanent | StopCause::Ambiguous | StopCause::Refused) {
        tracing::debug!(
            target: "steadfast",
            function,
            policy = "retry",
            outcome = cause.as_str(),
            attempts,
            "gave up"
        );
    } else {
        tracing::warn!(
            target: "steadfast",
            function,
            policy = "retry",
            outcome = cause.as_str(),
            attempts,
            "gave up"
        );
    }
}

fn millis(wait: Duration) -> u64 {
    wait.as_millis().try_into().unwrap_or(u64::MAX)
}
