//! What the policies tell: typed events, as [`tracing`] events and to your own observers.
//!
//! Every policy raises its events here. Nothing is raised while nothing fails, and nothing is
//! allocated in telling it. The `tracing` events have the target `steadfast`:
//!
//! | event | level | message | fields |
//! |---|---|---|---|
//! | [`RetryScheduled`](Event::RetryScheduled) | DEBUG | attempt failed, will retry | `function`, `policy`, `outcome` (the reason), `attempt`, `wait_ms` |
//! | [`RetryRecovered`](Event::RetryRecovered) | DEBUG | succeeded after retries | `function`, `policy`, `outcome`, `attempts` |
//! | [`RetryStopped`](Event::RetryStopped) | WARN; DEBUG if `permanent`, `ambiguous` or `refused` | gave up | `function`, `policy`, `outcome` (the cause), `attempts` |
//! | [`CircuitChanged`](Event::CircuitChanged) | WARN if it opened; INFO | circuit breaker opened, circuit breaker changed | `breaker`, `policy`, `outcome` (the state), `key` (with `per`), `from`, `cause`, `open_for_ms` (if it opened) |
//! | [`CircuitRefused`](Event::CircuitRefused) | DEBUG | circuit breaker is open | `function`, `policy`, `outcome` (`refused`), `breaker`, `retry_after_ms` (if known) |
//! | [`CallSlow`](Event::CallSlow) | DEBUG | slow call | `function`, `policy`, `outcome` (`slow`), `breaker`, `took_ms` |
//! | [`FallbackServed`](Event::FallbackServed) | DEBUG | fallback served | `function`, `policy`, `outcome` (`served`), `tier`, `trigger`, `age_ms` (of a stale value) |
//! | [`FallbackFailed`](Event::FallbackFailed) | WARN | no fallback had a value | `function`, `policy`, `outcome` (`failed`), `trigger` |
//! | [`DeadlineExceeded`](Event::DeadlineExceeded) | DEBUG | deadline exceeded | `function`, `policy`, `outcome` (`cut_off` or `not_started`), `limit_ms` (unless it was the caller's deadline), `late_ms` |
//! | [`CallReplayed`](Event::CallReplayed) | DEBUG | replayed | `function`, `policy`, `outcome` (`replayed`), `store` |
//! | [`KeyRefused`](Event::KeyRefused) | DEBUG if `in_progress`; WARN | refused by its key | `function`, `policy`, `outcome` (the cause), `store`, `key` (unless it is `in_progress`), `why` (if it is `unserializable`) |
//! | [`RunInterrupted`](Event::RunInterrupted) | WARN | cut off, its effect may have happened | `function`, `policy`, `outcome` (`interrupted`), `store`, `key`, `cause` |
//! | [`EffectMayRepeat`](Event::EffectMayRepeat) | WARN | runs again after it was cut off | `function`, `policy`, `outcome` (`effect_may_repeat`), `store`, `key`, `interruptions` |
//! | [`LeaseLost`](Event::LeaseLost) | WARN | another call has taken the key over | `function`, `policy`, `outcome` (`lease_lost`), `store`, `key` |
//! | [`ResultOmitted`](Event::ResultOmitted) | WARN | result not kept | `function`, `policy`, `outcome` (`result_omitted`), `store`, `key` |
//! | [`RunUnguarded`](Event::RunUnguarded) | WARN | runs without a guard | `function`, `policy`, `outcome` (`unguarded`), `store` |
//! | [`CompletionUnrecorded`](Event::CompletionUnrecorded) | ERROR | happened, and could not be recorded | `function`, `policy`, `outcome` (`completion_unrecorded`), `store`, `key` |
//! | [`StoreFailed`](Event::StoreFailed) | WARN | key store failed | `function`, `policy`, `outcome` (`store_failed`), `store`, `operation`, `error` |
//!
//! `function` is the annotated function's module and name, without the type that a method belongs to,
//! `breaker` a breaker's name, `policy` is `retry`, `deadline`, `circuit_breaker`, `fallback` or `idempotent`,
//! `tier` the path of a fallback, `store` what a key store is called; these and `outcome`, `from`, `cause` and `trigger` are from a small fixed
//! set, fit to be labels of a metric. No event holds the text of your function's error, and none an
//! argument but for `key`: of a breaker that is one of many, and of an idempotent call that somebody may have to
//! look after. `error` is what a key store says.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::OnceLock,
};

pub use self::{
    event::Event,
    labels::{Interruption, KeyRefusal, Reason, StopCause, Trigger},
};

mod event;
mod labels;
mod trace;

/// Calls `observer` with every event from now on, in the thread that raises it.
///
/// There can be any number of observers, and none is ever taken off again: this is for a process's
/// metrics, set up once. An observer runs inside the call that it is told of, so it should be quick
/// and must not block. One that panics is left at that, and the call goes on.
///
/// # Example: count the retries
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use steadfast::telemetry::{self, Event};
///
/// static RETRIES: AtomicU64 = AtomicU64::new(0);
///
/// #[steadfast::retry(when = any, base = "0s")]
/// async fn fails() -> std::io::Result<()> {
///     Err(std::io::Error::other("no"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// telemetry::observe(|event| {
///     if let Event::RetryScheduled { .. } = event {
///         RETRIES.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// fails().await.unwrap_err();
/// assert_eq!(RETRIES.load(Ordering::Relaxed), 2);
/// # }
/// ```
pub fn observe(observer: impl Fn(&Event<'_>) + Send + Sync + 'static) {
    let mut new = Box::new(Observer { tell: Box::new(observer), next: OnceLock::new() });
    let mut end = &OBSERVERS;
    // Walks on over those who were quicker, so that none is lost.
    while let Err(not_set) = end.set(new) {
        new = not_set;
        match end.get() {
            Some(observer) => end = &observer.next,
            None => return,
        }
    }
}

static OBSERVERS: OnceLock<Box<Observer>> = OnceLock::new();

struct Observer {
    tell: Box<dyn Fn(&Event<'_>) + Send + Sync>,
    next: OnceLock<Box<Observer>>,
}

/// The one place that every event goes through.
pub(crate) fn raise(event: &Event<'_>) {
    trace::trace(event);
    let mut next = &OBSERVERS;
    while let Some(observer) = next.get() {
        // One that panics has told so by the hook, and must not unwind through a policy at work.
        let _ = catch_unwind(AssertUnwindSafe(|| (observer.tell)(event)));
        next = &observer.next;
    }
}
