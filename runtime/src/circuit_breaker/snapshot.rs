use std::{fmt, sync::Arc, time::Duration};

use super::settings::Settings;

/// What a breaker does with a call.
///
/// # Example: as a label
///
/// ```
/// use steadfast::circuit_breaker::State;
///
/// assert_eq!(State::HalfOpen.to_string(), "half_open");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Every call runs, and its outcome counts.
    Closed,
    /// No call runs, until the time is over.
    Open,
    /// A few calls run, to probe.
    HalfOpen,
    /// No call runs, until somebody says otherwise: [`force_open`](super::CircuitBreaker::force_open).
    ForcedOpen,
    /// Every call runs and is counted, and nothing opens it:
    /// [`force_closed`](super::CircuitBreaker::force_closed).
    ForcedClosed,
    /// Every call runs and none is counted: [`disable`](super::CircuitBreaker::disable).
    Disabled,
}

impl State {
    /// Whether somebody has made it so, until they say otherwise.
    #[inline]
    pub(super) const fn is_forced(self) -> bool {
        matches!(self, Self::Disabled | Self::ForcedClosed | Self::ForcedOpen)
    }

    /// Its name in a label, such as `half_open`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::circuit_breaker::State;
    ///
    /// assert_eq!(State::ForcedOpen.as_str(), "forced_open");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Disabled => "disabled",
            Self::ForcedClosed => "forced_closed",
            Self::ForcedOpen => "forced_open",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a breaker went from one state to another.
///
/// # Example: as a label
///
/// ```
/// use steadfast::circuit_breaker::Cause;
///
/// assert_eq!(Cause::ProbeFailed.to_string(), "probe_failed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Somebody called a method of the handle.
    ByHand,
    /// So many failures in a row.
    Consecutive,
    /// Too large a share of failures.
    FailureRate,
    /// The open time is over: a probe is let in.
    OpenTimeOver,
    /// A probe failed, or was slow.
    ProbeFailed,
    /// Probes did not come back in their time: others are let in, and it stays half-open.
    ProbeLost,
    /// All probes succeeded.
    ProbesSucceeded,
    /// Too large a share of slow calls.
    SlowRate,
}

impl Cause {
    /// Its name in a label, such as `failure_rate`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::circuit_breaker::Cause;
    ///
    /// assert_eq!(Cause::FailureRate.as_str(), "failure_rate");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Consecutive => "consecutive",
            Self::FailureRate => "failure_rate",
            Self::OpenTimeOver => "open_time_over",
            Self::ProbeFailed => "probe_failed",
            Self::ProbeLost => "probe_lost",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::SlowRate => "slow_rate",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A breaker at one moment: whose it is, what it goes by, and what it has counted.
///
/// # Example: who is open, and for how long
///
/// ```
/// for breaker in steadfast::circuit_breakers() {
///     let snapshot = breaker.snapshot();
///     if let Some(left) = snapshot.counted.retry_after {
///         println!("{} is open for another {left:?}", snapshot.name);
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The breaker's name: the function's, if it is the function's own.
    pub name: &'static str,
    /// Whose it is among those of `per`.
    pub key: Option<Arc<str>>,
    /// What it goes by.
    pub settings: Settings,
    /// What it has counted.
    pub counted: Counted,
}

/// What a breaker has counted.
///
/// What is *in the window* is what its rates are taken of; all else counts from the start.
///
/// # Example: the failure rate
///
/// ```
/// use steadfast::circuit_breaker::CircuitBreaker;
///
/// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
/// assert_eq!(STRIPE.snapshot().counted.failure_rate(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Counted {
    /// What it does with a call.
    pub state: State,
    /// For how long it has been in that state.
    pub in_state_for: Duration,
    /// How long it has been in each state in all.
    pub time_in: TimeIn,
    /// If it is open: for how long yet.
    pub retry_after: Option<Duration>,
    /// Successes and failures in the window.
    pub calls_in_window: u64,
    /// Failures in the window.
    pub failures_in_window: u64,
    /// Slow calls in the window.
    pub slow_in_window: u64,
    /// Failures since the last success.
    pub failures_in_a_row: u32,
    /// Calls that succeeded, probes among them.
    pub successes: u64,
    /// Calls that failed, probes among them.
    pub failures: u64,
    /// Calls that were slow, failed or not.
    pub slow: u64,
    /// Calls with an error that says nothing against the dependency.
    pub ignored: u64,
    /// Calls that did not run.
    pub refused: u64,
    /// How often it has opened.
    pub opened: u64,
}

impl Counted {
    /// The share of the calls in the window that failed; `None` if there is none.
    ///
    /// # Example: of no calls
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// assert_eq!(CircuitBreaker::new("new").snapshot().counted.failure_rate(), None);
    /// ```
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
    pub fn failure_rate(&self) -> Option<f64> {
        let calls = self.calls_in_window;
        (calls > 0).then(|| self.failures_in_window as f64 / calls as f64)
    }
}

/// How long a breaker has been in each state.
///
/// # Example: what an outage has cost
///
/// ```
/// use std::time::Duration;
/// use steadfast::circuit_breaker::CircuitBreaker;
///
/// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
/// assert_eq!(STRIPE.snapshot().counted.time_in.open, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeIn {
    /// Closed, forced or not.
    pub closed: Duration,
    /// Open, forced or not.
    pub open: Duration,
    /// Half-open.
    pub half_open: Duration,
    /// Disabled.
    pub disabled: Duration,
}

impl TimeIn {
    pub(super) fn add(&mut self, state: State, nanos: u64) {
        let time = match state {
            State::Closed | State::ForcedClosed => &mut self.closed,
            State::Open | State::ForcedOpen => &mut self.open,
            State::HalfOpen => &mut self.half_open,
            State::Disabled => &mut self.disabled,
        };
        *time = time.saturating_add(Duration::from_nanos(nanos));
    }
}
