//! Each event as one of [`tracing`]'s.

use std::time::Duration;

use super::{Event, Interruption, KeyRefusal, Reason, StopCause, Trigger};
use crate::{
    circuit_breaker::{Cause, State},
    idempotent::{Key, StoreError},
};

pub(super) fn trace(event: &Event<'_>) {
    match *event {
        Event::CallReplayed { function, store } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "idempotent",
            outcome = "replayed",
            store,
            "replayed"
        ),
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
        Event::CompletionUnrecorded { function, store, key } => {
            completion_unrecorded(function, store, key);
        }
        Event::DeadlineExceeded { function, limit, late, started } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "deadline",
            outcome = if started { "cut_off" } else { "not_started" },
            limit_ms = limit.map(millis),
            late_ms = millis(late),
            "deadline exceeded"
        ),
        Event::EffectMayRepeat { function, store, key, interruptions } => {
            effect_may_repeat(function, store, key, interruptions);
        }
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
        Event::KeyRefused { function, store, cause, key, why } => {
            key_refused(function, store, cause, key, why);
        }
        Event::LeaseLost { function, store, key } => {
            key_trouble(
                function,
                store,
                Some(key),
                "lease_lost",
                "another call has taken the key over",
            );
        }
        Event::ResultOmitted { function, store, key } => {
            key_trouble(function, store, Some(key), "result_omitted", "result not kept");
        }
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
        Event::RunInterrupted { function, store, key, cause } => {
            run_interrupted(function, store, key, cause);
        }
        Event::RunUnguarded { function, store } => {
            key_trouble(function, store, None, "unguarded", "runs without a guard");
        }
        Event::StoreFailed { function, store, operation, error } => {
            store_failed(function, store, operation, error);
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

fn key_refused(
    function: &str,
    store: &str,
    cause: KeyRefusal,
    key: Option<&Key>,
    why: Option<&str>,
) {
    // A duplicate that comes early is what keys are for; the rest is somebody's mistake or trouble.
    if cause == KeyRefusal::InProgress {
        tracing::debug!(
            target: "steadfast",
            function,
            policy = "idempotent",
            outcome = cause.as_str(),
            store,
            "refused by its key"
        );
    } else {
        tracing::warn!(
            target: "steadfast",
            function,
            policy = "idempotent",
            outcome = cause.as_str(),
            store,
            key = key.map(tracing::field::display),
            why,
            "refused by its key"
        );
    }
}

fn key_trouble(function: &str, store: &str, key: Option<&Key>, outcome: &str, message: &str) {
    tracing::warn!(
        target: "steadfast",
        function,
        policy = "idempotent",
        outcome,
        store,
        key = key.map(tracing::field::display),
        "{message}"
    );
}

fn completion_unrecorded(function: &str, store: &str, key: &Key) {
    tracing::error!(
        target: "steadfast",
        function,
        policy = "idempotent",
        outcome = "completion_unrecorded",
        store,
        %key,
        "happened, and could not be recorded"
    );
}

fn effect_may_repeat(function: &str, store: &str, key: &Key, interruptions: u32) {
    tracing::warn!(
        target: "steadfast",
        function,
        policy = "idempotent",
        outcome = "effect_may_repeat",
        store,
        %key,
        interruptions,
        "runs again after it was cut off"
    );
}

fn run_interrupted(function: &str, store: &str, key: &Key, cause: Interruption) {
    tracing::warn!(
        target: "steadfast",
        function,
        policy = "idempotent",
        outcome = "interrupted",
        store,
        %key,
        cause = cause.as_str(),
        "cut off, its effect may have happened"
    );
}

fn store_failed(function: &str, store: &str, operation: &str, error: &StoreError) {
    tracing::warn!(
        target: "steadfast",
        function,
        policy = "idempotent",
        outcome = "store_failed",
        store,
        operation,
        %error,
        "key store failed"
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
