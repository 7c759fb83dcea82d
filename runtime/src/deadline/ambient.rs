use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

/// When a call ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ends {
    /// At this time: the clock runs.
    At(Instant),
    /// This long after the clock is first read.
    After(Duration),
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
    outer.0 = outer.0.started_with(ends, seen);
    drop(outer);
    (polled, seen)
}

impl Ends {
    /// Starts the clock, if it is not running.
    pub(super) fn start(self) -> Self {
        match self {
            // What is too far for the clock is never.
            Self::After(limit) => Instant::now().checked_add(limit).map_or(Self::Never, Self::At),
            Self::At(_) | Self::Never => self,
        }
    }

    /// Starts the clock together with one below that was `before` and is `now`: whoever asks first
    /// starts it for all.
    #[inline]
    fn started_with(self, before: Self, now: Self) -> Self {
        match (self, before, now) {
            (Self::After(limit), Self::After(below), Self::At(at)) => {
                let start = at.checked_sub(below);
                start.and_then(|start| start.checked_add(limit)).map_or(self, Self::At)
            }
            _ => self,
        }
    }

    /// The same, earlier.
    pub(super) fn earlier(self, reserve: Duration) -> Self {
        match self {
            // More than the clock can go back is all that is left.
            Self::At(at) => Self::At(at.checked_sub(reserve).unwrap_or_else(Instant::now)),
            Self::After(limit) => Self::After(limit.saturating_sub(reserve)),
            Self::Never => Self::Never,
        }
    }
}
