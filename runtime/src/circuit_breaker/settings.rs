use std::time::Duration;

/// When a breaker opens, and for how long: the settings of one `#[circuit_breaker]`.
///
/// [`CircuitBreaker`](super::CircuitBreaker) has a setter for each, with its range and default.
///
/// # Example: what a breaker goes by
///
/// ```
/// use std::time::Duration;
/// use steadfast::circuit_breaker::{CircuitBreaker, Window};
///
/// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").open_for(Duration::from_secs(5));
/// let settings = STRIPE.settings();
/// assert_eq!(settings.failure_rate, Some(0.5));
/// assert_eq!(settings.window, Window::Time(Duration::from_secs(60)));
/// assert_eq!(settings.open_for, Duration::from_secs(5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The share of failures that opens it; `None` where `consecutive` decides.
    pub failure_rate: Option<f64>,
    /// The failures in a row that open it, if it goes by these.
    pub consecutive: Option<u32>,
    /// What the rates are taken over.
    pub window: Window,
    /// The fewest calls that a rate is taken of.
    pub min_calls: u32,
    /// How long it stays open the first time.
    pub open_for: Duration,
    /// How long it stays open at most, as failed probes double the time.
    pub max_open_for: Duration,
    /// How many calls probe a dependency that may be back.
    pub probes: u8,
    /// From how long on a call is slow, if any is.
    pub slow_after: Option<Duration>,
    /// The share of slow calls that opens it, where there is a `slow_after`.
    pub slow_rate: f64,
    /// The most keys that have a breaker of their own.
    pub max_keys: u32,
}

/// What a breaker's rates are taken over.
///
/// # Example: the last hundred calls
///
/// ```
/// use steadfast::circuit_breaker::{CircuitBreaker, Window};
///
/// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").window(Window::Calls(100));
/// ```
///
/// In an attribute it is `window = 100`, or `window = "60s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many calls, 1 to 10 000.
    Calls(u32),
    /// The last so long, 10 ms or more. It moves on by tenths, so it holds 9 to 10 tenths of the
    /// time.
    Time(Duration),
}

impl Settings {
    /// The defaults, which the setters of `CircuitBreaker` tell the reasons for.
    pub(super) const fn new() -> Self {
        Self {
            failure_rate: Some(0.5),
            consecutive: None,
            window: Window::Time(Duration::from_secs(60)),
            min_calls: 20,
            open_for: Duration::from_secs(30),
            max_open_for: Duration::from_secs(300),
            probes: 1,
            slow_after: None,
            slow_rate: 0.5,
            max_keys: 10_000,
        }
    }

    /// The fewest calls that a rate is taken of: never more than the window holds.
    pub(super) fn fewest_calls(&self) -> u64 {
        match self.window {
            Window::Calls(most) => self.min_calls.min(most).into(),
            Window::Time(_) => self.min_calls.into(),
        }
    }

    /// How long a probe keeps its place: as long as the breaker has been open, or as its deadline
    /// allows, up to the longest open time; and no less than a second.
    pub(super) fn lease(&self, failed_probes: u32, now: u64, ends: Option<u64>) -> u64 {
        let open = nanos(self.open_time(failed_probes));
        let allowed = ends.map_or(0, |ends| ends.saturating_sub(now)).min(nanos(self.max_open_for));
        open.max(allowed).max(SHORTEST_LEASE)
    }

    /// The time that it stays open after so many failed probes in a row, before it is spread.
    pub(super) fn open_time(&self, failed_probes: u32) -> Duration {
        let factor = 1_u32.checked_shl(failed_probes).unwrap_or(u32::MAX);
        self.open_for.saturating_mul(factor).min(self.max_open_for.max(self.open_for))
    }
}

/// Or a breaker that opens for no time would be probed by all at once.
const SHORTEST_LEASE: u64 = 1_000_000_000;

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
