use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

use crate::clock;

/// When a call ends, in one word, since every poll copies it.
///
/// Up to 2^63: so many nanoseconds after the clock is first read. From there: at that time, as the
/// [`clock`] counts it. The last: never. So of two that both run, or both do not, the sooner is the
/// smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends(u64);

/// The same, unpacked.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    /// At this time: the clock runs.
    At(Instant),
    /// This long after the clock is first read.
    After(Duration),
    Never,
}

/// The ambient deadline of a call, as it was when the call last had to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cutoff(Ends);

impl Cutoff {
    /// Of a call that has not waited yet.
    pub(crate) const UNKNOWN: Self = Self(Ends::AT_ONCE);

    /// The deadline that is ambient now, with its clock started: whoever waits may not be asked
    /// again before it has passed.
    #[inline]
    pub(crate) fn ambient() -> Self {
        Self(started())
    }

    /// Whether it is known and has passed.
    pub(crate) fn has_passed(self) -> bool {
        matches!(self.0.when(), When::At(at) if at <= Instant::now())
    }
}

thread_local! {
    static AMBIENT: Cell<Ends> = const { Cell::new(Ends::NEVER) };
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
    match started().when() {
        When::At(at) => Some(at.saturating_duration_since(Instant::now())),
        When::After(_) | When::Never => None,
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
    match current().when() {
        When::At(at) => at <= time || at - time < Duration::from_millis(1),
        When::After(_) | When::Never => false,
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
    if seen != ends {
        outer.0 = outer.0.started_with(ends, seen);
    }
    drop(outer);
    (polled, seen)
}

impl Ends {
    pub(super) const AT_ONCE: Self = Self(0);
    pub(super) const NEVER: Self = Self(u64::MAX);

    /// This long after the clock is first read; what is too long to count (292 years) is never.
    #[inline]
    pub(super) fn after(limit: Duration) -> Self {
        match u64::try_from(limit.as_nanos()) {
            Ok(nanos) if nanos < RUNNING => Self(nanos),
            _ => Self::NEVER,
        }
    }

    /// At this time; what is too far from the origin of the clock is never.
    #[inline]
    pub(super) fn at(time: Instant) -> Self {
        clock::nanos(time).map_or(Self::NEVER, |nanos| Self(RUNNING | nanos))
    }

    #[inline]
    pub(super) fn is_running(self) -> bool {
        self.0 >= RUNNING && self != Self::NEVER
    }

    /// The sooner of two whose clocks do not run.
    #[inline]
    pub(super) fn sooner(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    pub(super) fn when(self) -> When {
        if self == Self::NEVER {
            return When::Never;
        }
        if !self.is_running() {
            return When::After(Duration::from_nanos(self.0));
        }
        clock::instant(self.0 - RUNNING).map_or(When::Never, When::At)
    }

    /// Starts the clock, if it is not running.
    pub(super) fn start(self) -> Self {
        match self.when() {
            When::After(limit) => Self::from(Instant::now(), limit),
            When::At(_) | When::Never => self,
        }
    }

    fn from(start: Instant, limit: Duration) -> Self {
        // What is too far for the clock is never.
        start.checked_add(limit).map_or(Self::NEVER, Self::at)
    }

    /// Starts the clock together with one below that was `before` and is `now`: whoever asks first
    /// starts it for all.
    #[cold]
    fn started_with(self, before: Self, now: Self) -> Self {
        let (When::After(limit), When::After(below), When::At(at)) =
            (self.when(), before.when(), now.when())
        else {
            return self;
        };
        at.checked_sub(below).map_or(self, |start| Self::from(start, limit))
    }

    /// The same, earlier.
    #[inline]
    pub(super) fn earlier(self, reserve: Duration) -> Self {
        if reserve.is_zero() { self } else { self.earlier_by(reserve) }
    }

    /// The same, earlier, but not by more than nine tenths of the time that there is.
    #[inline]
    pub(super) fn sooner_by(self, early: Duration) -> Self {
        if early.is_zero() { self } else { self.sooner_by_most(early) }
    }

    fn sooner_by_most(self, early: Duration) -> Self {
        let left = match self.when() {
            When::At(at) => at.saturating_duration_since(Instant::now()),
            When::After(limit) => limit,
            When::Never => return self,
        };
        self.earlier_by(early.min(left * 9 / 10))
    }

    fn earlier_by(self, reserve: Duration) -> Self {
        match self.when() {
            // More than the clock can go back is all that is left.
            When::At(at) => Self::at(at.checked_sub(reserve).unwrap_or_else(Instant::now)),
            When::After(limit) => Self::after(limit.saturating_sub(reserve)),
            When::Never => self,
        }
    }
}

/// Where the times begin.
const RUNNING: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_times_to_the_nanosecond() {
        let offset = Duration::new(1_000_000, 1);
        let now = Instant::now();
        for time in [now, now + offset, now - Duration::from_nanos(7)] {
            assert!(Ends::at(time).is_running());
            assert!(matches!(Ends::at(time).when(), When::At(at) if at == time));
        }
        for limit in [Duration::ZERO, offset, Duration::from_nanos(RUNNING - 1)] {
            assert!(!Ends::after(limit).is_running());
            assert!(matches!(Ends::after(limit).when(), When::After(after) if after == limit));
        }
        for never in
            [Ends::NEVER, Ends::after(Duration::MAX), Ends::after(Duration::from_nanos(RUNNING))]
        {
            assert!(!never.is_running());
            assert!(matches!(never.when(), When::Never));
        }
    }
}
