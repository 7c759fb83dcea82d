//! What has happened lately: the counts that the rates are taken of.

use std::collections::VecDeque;

use super::settings::{Settings, Window, nanos};

/// The outcomes in the window, kept behind the lock.
///
/// A success never comes here: it is counted apart, and the window knows what that count was when
/// its parts began. So what slides is the difference, and a success costs an addition.
#[derive(Debug)]
pub(super) enum Outcomes {
    Calls(CallWindow),
    Time(TimeWindow),
}

/// How many calls there were in the window, and of what kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

impl Outcomes {
    /// An empty window, from when there were so many successes.
    pub(super) fn new(settings: &Settings, successes: u64, now: u64) -> Self {
        match settings.window {
            Window::Calls(most) => Self::Calls(CallWindow::new(most, successes)),
            Window::Time(length) => {
                let width = nanos(length) / SLOTS as u64;
                Self::Time(TimeWindow::new(width.max(1), successes, now))
            }
        }
    }

    /// Moves it on to now; says when that has to be done again.
    pub(super) fn turn(&mut self, successes: u64, now: u64) -> u64 {
        match self {
            Self::Calls(_) => NEVER,
            Self::Time(window) => window.turn(successes, now),
        }
    }

    /// Counts a call that failed or was slow. One that was slow and succeeded is in `successes`.
    pub(super) fn add(&mut self, failed: bool, slow: bool, successes: u64) {
        match self {
            Self::Calls(window) => window.add(failed, slow, successes),
            Self::Time(window) => window.add(failed, slow),
        }
    }

    pub(super) fn counts(&self, successes: u64) -> Counts {
        match self {
            Self::Calls(window) => window.counts(successes),
            Self::Time(window) => window.counts(successes),
        }
    }
}

impl Counts {
    /// Whether so much of the calls failed, or more.
    pub(super) fn failures_reach(&self, rate: f64) -> bool {
        reaches(self.failures, self.calls, rate)
    }

    /// Whether so much of the calls was slow, or more.
    pub(super) fn slow_reach(&self, rate: f64) -> bool {
        reaches(self.slow, self.calls, rate)
    }
}

/// The last so many calls. Each failure has its place in the sequence of all calls, and leaves the
/// window when the sequence has gone on by as many; where the successes are does not matter.
#[derive(Debug)]
pub(super) struct CallWindow {
    most: u64,
    /// The successes before the window.
    before: u64,
    failed: u64,
    failures: VecDeque<u64>,
    slow: VecDeque<u64>,
}

impl CallWindow {
    fn new(most: u32, successes: u64) -> Self {
        let (failures, slow) = (VecDeque::new(), VecDeque::new());
        Self { most: most.into(), before: successes, failed: 0, failures, slow }
    }

    fn calls(&self, successes: u64) -> u64 {
        successes.saturating_sub(self.before) + self.failed
    }

    fn add(&mut self, failed: bool, slow: bool, successes: u64) {
        self.failed += u64::from(failed);
        let calls = self.calls(successes);
        for (places, counts) in [(&mut self.failures, failed), (&mut self.slow, slow)] {
            while places.front().is_some_and(|place| place + self.most <= calls) {
                places.pop_front();
            }
            if counts {
                places.push_back(calls);
            }
        }
    }

    fn counts(&self, successes: u64) -> Counts {
        let calls = self.calls(successes);
        let within = |places: &VecDeque<u64>| {
            let from = places.partition_point(|place| place + self.most <= calls);
            (places.len() - from) as u64
        };
        Counts {
            calls: calls.min(self.most),
            failures: within(&self.failures),
            slow: within(&self.slow),
        }
    }
}

/// The last so long, in ten slots: the last of them fills, and the nine before are whole.
#[derive(Debug)]
pub(super) struct TimeWindow {
    width: u64,
    /// When the slot that fills is full.
    full_at: u64,
    /// The successes before it began to fill.
    before: u64,
    filling: usize,
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    successes: u64,
    failures: u64,
    slow: u64,
}

/// A window of calls does not go by the clock.
pub(super) const NEVER: u64 = u64::MAX;

const SLOTS: usize = 10;
const ONE_SECOND: u64 = 1_000_000_000;

impl TimeWindow {
    fn new(width: u64, successes: u64, now: u64) -> Self {
        Self {
            width,
            full_at: now.saturating_add(width),
            before: successes,
            filling: 0,
            slots: [Slot::default(); SLOTS],
        }
    }

    fn turn(&mut self, successes: u64, now: u64) -> u64 {
        // No clock goes back this far, but another one may have been here: that of a paused test.
        let ahead = self.width.saturating_add(ONE_SECOND);
        let another_clock = self.full_at > now.saturating_add(ahead);
        if now < self.full_at && !another_clock {
            return self.full_at;
        }
        // Whoever succeeded since then has looked at the clock before, and found the slot not full.
        self.slots[self.filling].successes += successes.saturating_sub(self.before);
        self.before = successes;
        let passed = 1 + now.saturating_sub(self.full_at) / self.width;
        if another_clock || passed >= SLOTS as u64 {
            *self = Self::new(self.width, successes, now);
            return self.full_at;
        }
        for _ in 0..passed {
            self.filling = (self.filling + 1) % SLOTS;
            self.slots[self.filling] = Slot::default();
        }
        self.full_at = self.full_at.saturating_add(passed * self.width);
        self.full_at
    }

    fn add(&mut self, failed: bool, slow: bool) {
        let Slot { failures, slow: slow_calls, .. } = &mut self.slots[self.filling];
        *failures += u64::from(failed);
        *slow_calls += u64::from(slow);
    }

    fn counts(&self, successes: u64) -> Counts {
        let mut counts =
            Counts { calls: successes.saturating_sub(self.before), ..Counts::default() };
        for Slot { successes, failures, slow } in self.slots {
            counts.calls += successes + failures;
            counts.failures += failures;
            counts.slow += slow;
        }
        counts
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
fn reaches(part: u64, whole: u64, rate: f64) -> bool {
    // A hair less, so that 3 of 10 are 0.3.
    part as f64 >= rate * whole as f64 - 1e-9
}
