//! What the policies tell: typed events, as [`tracing`] events and to your own observers.
//!
//! Every policy raises its events here. Nothing is raised while nothing fails, and nothing is
//! allocated in telling it. The `tracing` events have the target `steadfast`:
//!
//! | event | level | message | fields |
//! |---|---|---|---|
//! | [`RetryScheduled`](Event::RetryScheduled) | DEBUG | attempt failed, will retry | `function`, `policy`, `outcome` (the reason), `attempt`, `wait_ms` |
//! | [`RetryRecovered`](Event::RetryRecovered) | DEBUG | succeeded after retries | `function`, `policy`, `outcome`, `attempts` |
//! | [`RetryStopped`](Event::RetryStopped) | WARN; DEBUG if `permanent` or `ambiguous` | gave up | `function`, `policy`, `outcome` (the cause), `attempts` |
//! | [`DeadlineExceeded`](Event::DeadlineExceeded) | DEBUG | deadline exceeded | `function`, `policy`, `outcome` (`cut_off` or `not_started`), `limit_ms` (unless it was the caller's deadline), `late_ms` |
//!
//! `function` is the annotated function's module and name, without the type that a method belongs to, `policy` is `retry` or `deadline`; both and
//! `outcome` are from a small fixed set, fit to be labels of a metric. No event holds an error's
//! text, an argument or a key.

use std::{fmt, time::Duration};

use once_cell::race::OnceBox;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
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
}

/// Why an attempt is worth another.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::Reason;
///
/// assert_eq!(Reason::Throttled.to_string(), "throttled");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It may have happened, and the attribute says that a repeat is [`safe`](crate::retry::Retry::safe).
    Ambiguous,
    /// The peer asked for less.
    Throttled,
    /// It did not happen, and may work next time.
    Transient,
    /// It succeeded with a value that `when_ok` wants no more than an error.
    UnwantedValue,
}

impl Reason {
    /// Its name in a label: `ambiguous`, `throttled`, `transient`, `unwanted_value`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::Reason;
    ///
    /// assert_eq!(Reason::UnwantedValue.as_str(), "unwanted_value");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::UnwantedValue => "unwanted_value",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is no further attempt.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::StopCause;
///
/// assert_eq!(StopCause::HintBeyondCap.to_string(), "hint_beyond_cap");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopCause {
    /// It may have happened, and the attribute does not say that a repeat is safe.
    Ambiguous,
    /// The retry budget is empty.
    BudgetExhausted,
    /// The ambient deadline ends before the next attempt could start.
    DeadlineTooNear,
    /// It was the last attempt.
    Exhausted,
    /// The peer asked for a longer wait than the cap allows.
    HintBeyondCap,
    /// It will never work as asked.
    Permanent,
}

impl StopCause {
    /// Its name in a label, such as `budget_exhausted`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::StopCause;
    ///
    /// assert_eq!(StopCause::BudgetExhausted.as_str(), "budget_exhausted");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::BudgetExhausted => "budget_exhausted",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::Exhausted => "exhausted",
            Self::HintBeyondCap => "hint_beyond_cap",
            Self::Permanent => "permanent",
        }
    }
}

impl fmt::Display for StopCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Calls `observer` with every event from now on, in the thread that raises it.
///
/// There can be any number of observers, and none is ever taken off again: this is for a process's
/// metrics, set up once. An observer runs inside the call that it is told of, so it should be quick
/// and must not block.
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
    let mut new = Box::new(Observer { tell: Box::new(observer), next: OnceBox::new() });
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

static OBSERVERS: OnceBox<Observer> = OnceBox::new();

struct Observer {
    tell: Box<dyn Fn(&Event<'_>) + Send + Sync>,
    next: OnceBox<Observer>,
}

/// The one place that every event goes through.
pub(crate) fn raise(event: &Event<'_>) {
    trace(event);
    let mut next = &OBSERVERS;
    while let Some(observer) = next.get() {
        (observer.tell)(event);
        next = &observer.next;
    }
}

fn trace(event: &Event<'_>) {
    match *event {
        Event::DeadlineExceeded { function, limit, late, started } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "deadline",
            outcome = if started { "cut_off" } else { "not_started" },
            limit_ms = limit.map(millis),
            late_ms = millis(late),
            "deadline exceeded"
        ),
        Event::RetryRecovered { function, attempts } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "retry",
            outcome = "recovered",
            attempts,
            "succeeded after retries"
        ),
        Event::RetryScheduled { function, attempt, wait, reason } => tracing::debug!(
            target: "steadfast",
            function,
            policy = "retry",
            outcome = reason.as_str(),
            attempt,
            wait_ms = millis(wait),
            "attempt failed, will retry"
        ),
        Event::RetryStopped { function, attempts, cause } => {
            // What nobody would have retried is the caller's matter; the rest is a policy at its
            // end, and somebody may have to know.
            if matches!(cause, StopCause::Permanent | StopCause::Ambiguous) {
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
    }
}

fn millis(wait: Duration) -> u64 {
    wait.as_millis().try_into().unwrap_or(u64::MAX)
}
