use std::time::Duration;

use super::{Interruption, KeyRefusal, Reason, StopCause, Trigger};
use crate::{
    circuit_breaker::{Cause, State},
    idempotent::{Key, StoreError},
};

/// Something that a policy did.
///
/// # Example: whose budget is empty
///
/// ```
/// use steadfast::telemetry::{self, Event, StopCause};
///
/// telemetry::observe(|event| match event {
///     Event::RetryStopped { function, cause: StopCause::BudgetExhausted, .. } => {
///         eprintln!("{function} may not retry any more");
///     }
///     _ => {}
/// });
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A duplicate got the result of the call before it.
    #[non_exhaustive]
    CallReplayed {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
    },
    /// A call took longer than its breaker's `slow_after`.
    #[non_exhaustive]
    CallSlow {
        /// The annotated function.
        function: &'a str,
        /// Its breaker's name.
        breaker: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// A breaker went from one state to another.
    #[non_exhaustive]
    CircuitChanged {
        /// The breaker's name.
        breaker: &'a str,
        /// Whose it is among those of `per`. There may be thousands: not fit for a label.
        key: Option<&'a str>,
        /// The state before.
        from: State,
        /// The state from now on.
        to: State,
        /// Why.
        cause: Cause,
        /// For how long, if it has opened.
        open_for: Option<Duration>,
    },
    /// A breaker refused a call.
    #[non_exhaustive]
    CircuitRefused {
        /// The annotated function.
        function: &'a str,
        /// The breaker's name.
        breaker: &'a str,
        /// When it may admit a call again, if that is known.
        retry_after: Option<Duration>,
    },
    /// A call has happened, and its store could not be told so: a duplicate may run it again.
    #[non_exhaustive]
    CompletionUnrecorded {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Whose key: not fit for a label.
        key: &'a Key,
    },
    /// The deadline of a call passed before there was a result.
    #[non_exhaustive]
    DeadlineExceeded {
        /// The annotated function.
        function: &'a str,
        /// The limit that the function set itself; `None` if it was the deadline of its caller.
        limit: Option<Duration>,
        /// How far past the deadline this was noticed.
        late: Duration,
        /// Whether the body had started.
        started: bool,
    },
    /// A call runs whose key belongs to a run that was cut off: its effect may have happened before.
    #[non_exhaustive]
    EffectMayRepeat {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Whose key: not fit for a label.
        key: &'a Key,
        /// How many of its runs were cut off so far.
        interruptions: u32,
    },
    /// Nothing that should stand in for a call had a value either.
    #[non_exhaustive]
    FallbackFailed {
        /// The annotated function.
        function: &'a str,
        /// Why it was looked for.
        trigger: Trigger,
    },
    /// A fallback stood in for a call.
    #[non_exhaustive]
    FallbackServed {
        /// The annotated function.
        function: &'a str,
        /// Which one: its path as it is written, or `stale`, or `expr`.
        tier: &'a str,
        /// Why it was looked for.
        trigger: Trigger,
        /// How old the value is, if it is the last good one.
        age: Option<Duration>,
    },
    /// A call did not run because of its key, or its key's store.
    #[non_exhaustive]
    KeyRefused {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Which key, if it is one: not fit for a label.
        key: Option<&'a Key>,
        /// Why.
        cause: KeyRefusal,
        /// What the key's `Serialize` says, if it has failed.
        why: Option<&'a str>,
    },
    /// A call has ended whose key another one had taken over: its effect may have happened twice.
    #[non_exhaustive]
    LeaseLost {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Whose key: not fit for a label.
        key: &'a Key,
    },
    /// A call has happened, and its result is too large to be kept, or cannot be serialised: duplicates
    /// get an error.
    #[non_exhaustive]
    ResultOmitted {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Whose key: not fit for a label.
        key: &'a Key,
    },
    /// A call succeeded after at least one retry.
    #[non_exhaustive]
    RetryRecovered {
        /// The annotated function.
        function: &'a str,
        /// How many attempts it took.
        attempts: u32,
    },
    /// An attempt failed and another will follow.
    #[non_exhaustive]
    RetryScheduled {
        /// The annotated function.
        function: &'a str,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// The wait before the next.
        wait: Duration,
        /// Why it is worth another.
        reason: Reason,
    },
    /// An attempt failed and no other will follow.
    #[non_exhaustive]
    RetryStopped {
        /// The annotated function.
        function: &'a str,
        /// How many attempts there were.
        attempts: u32,
        /// Why there is no other.
        cause: StopCause,
    },
    /// A call with a key was cut off: its effect may have happened.
    #[non_exhaustive]
    RunInterrupted {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
        /// Whose key: not fit for a label.
        key: &'a Key,
        /// By what.
        cause: Interruption,
    },
    /// A call runs without a guard, as its store has no answer and its attribute says so.
    #[non_exhaustive]
    RunUnguarded {
        /// The annotated function.
        function: &'a str,
        /// What its key store is called.
        store: &'a str,
    },
    /// A key store has failed. What was asked of it is tried again where that can help.
    #[non_exhaustive]
    StoreFailed {
        /// The annotated function.
        function: &'a str,
        /// What the key store is called.
        store: &'a str,
        /// What it was asked for: `claim`, `renew`, `complete`, `release` or `interrupt`.
        operation: &'a str,
        /// What it says.
        error: &'a StoreError,
    },
}
