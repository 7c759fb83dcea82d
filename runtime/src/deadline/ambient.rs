use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// When a call ends. Two words, since every poll copies it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// At this time: the clock runs.
    At(Instant),
    /// This many nanoseconds after the clock is first read.
    After(u64),
    Never,
}

thread_local! {
    static AMBIENT: Cell<Ends> = const { Cell::new(Ends::Never) };
}

/// The time left to the ambient deadline: zero if it has passed, `None` if there is none.
///
/// Reads tokio's clock if there is a deadline, and starts it if this is the first to ask.
///
/// # Example: skip what there is no time for
///
/// ```
/// use std::time::Duration;
/// use steadfast::deadline::remaining;
///
/// fn worth_asking_the_slow_replica() -> bool {
///     remaining().is_none_or(|left| left > Duration::from_millis(200))
/// }
///
/// assert!(worth_asking_the_slow_replica(), "no deadline here");
/// ```
pub fn remaining() -> Option<Duration> {
    match started() {
        Ends::At(at) => Some(at.saturating_duration_since(Instant::now())),
        Ends::After(_) | Ends::Never => None,
    }
}

/// The ambient deadline with its clock started.
pub(super) fn started() -> Ends {
    let ends = AMBIENT.get().start();
    AMBIENT.set(ends);
    ends
}

/// The ambient deadline as it is.
#[inline]
pub(super) fn current() -> Ends {
    AMBIENT.get()
}

/// Whether the ambient deadline comes no later than this, give or take the timer's tick by which
/// clocks that were started together may differ.
pub(super) fn ends_by(time: Instant) -> bool {
    match current() {
        Ends::At(at) => at <= time || at - time < Duration::from_millis(1),
        Ends::After(_) | Ends::Never => false,
    }
}

/// Runs `poll` under a deadline, and gives back that deadline: its clock may have been started,
/// and then so has that of the deadline around it.
#[inline]
pub(super) fn scope<T>(ends: Ends, poll: impl FnOnce() -> T) -> (T, Ends) {
    /// Puts the outer deadline back, also when the body panics.
    struct Outer(Ends);

    impl Drop for Outer {
        #[inline]
        fn drop(&mut self) {
            AMBIENT.set(self.0);
        }
    }

    let mut outer = Outer(AMBIENT.replace(ends));
    let polled = poll();
    let seen = AMBIENT.get();
    if let (Ends::After(below), Ends::At(at)) = (ends, seen) {
        outer.0 = outer.0.started_with(below, at);
    }
    drop(outer);
    (polled, seen)
}

impl Ends {
    /// This long after the clock is first read; what is too long to count (584 years) is never.
    #[inline]
    pub(super) fn after(limit: Duration) -> Self {
        u64::try_from(limit.as_nanos()).map_or(Self::Never, Self::After)
    }

    /// Starts the clock, if it is not running.
    pub(super) fn start(self) -> Self {
        match self {
            Self::After(limit) => Self::from(Instant::now(), limit),
            Self::At(_) | Self::Never => self,
        }
    }

    fn from(start: Instant, limit: u64) -> Self {
        // What is too far for the clock is never.
        start.checked_add(Duration::from_nanos(limit)).map_or(Self::Never, Self::At)
    }

    /// Starts the clock together with one below, which is to end `at` after the limit `below`:
    /// whoever asks first starts it for all.
    #[cold]
    fn started_with(self, below: u64, at: Instant) -> Self {
        match (self, at.checked_sub(Duration::from_nanos(below))) {
            (Self::After(limit), Some(start)) => Self::from(start, limit),
            _ => self,
        }
    }

    /// The same, earlier.
    #[inline]
    pub(super) fn earlier(self, reserve: Duration) -> Self {
        if reserve.is_zero() { self } else { self.earlier_by(reserve) }
    }

    fn earlier_by(self, reserve: Duration) -> Self {
        match self {
            // More than the clock can go back is all that is left.
            Self::At(at) => Self::At(at.checked_sub(reserve).unwrap_or_else(Instant::now)),
            Self::After(limit) => Self::after(Duration::from_nanos(limit).saturating_sub(reserve)),
            Self::Never => Self::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_two_words() {
        assert_eq!(size_of::<Ends>(), 16);
    }
}
