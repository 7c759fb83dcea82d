//! What a breaker remembers behind its lock.

use super::{
    machine::KINDS,
    settings::Settings,
    snapshot::{Cause, State, TimeIn},
    window::Outcomes,
};

/// What only the lock's holder sees.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) outcomes: Outcomes,
    /// Failures with no success between them, and how many successes there were at the last.
    pub(super) in_a_row: u32,
    pub(super) successes_then: u64,
    /// Probes that have failed since it was last closed.
    pub(super) failed_probes: u32,
    pub(super) since: u64,
    pub(super) time_in: TimeIn,
    pub(super) failures: u64,
    pub(super) slow: u64,
    pub(super) opened: u64,
    /// The counts of calls when the breaker was given to the key that it is of.
    start: [u64; KINDS],
}

impl Ledger {
    /// That of a closed breaker.
    pub(super) fn new(settings: &Settings, now: u64) -> Self {
        Self {
            outcomes: Outcomes::new(settings, 0, now),
            in_a_row: 0,
            successes_then: 0,
            failed_probes: 0,
            since: now,
            time_in: TimeIn::default(),
            failures: 0,
            slow: 0,
            opened: 0,
            start: [0; KINDS],
        }
    }

    /// Forgets all, for another key.
    pub(super) fn start_anew(&mut self, calls: [u64; KINDS]) {
        (self.failures, self.slow, self.opened) = (0, 0, 0);
        self.time_in = TimeIn::default();
        self.start = calls;
    }

    /// How many calls of a kind there have been for this key.
    pub(super) fn since_start(&self, kind: usize, calls: u64) -> u64 {
        calls.saturating_sub(self.start[kind])
    }

    /// Notes that a state has ended.
    pub(super) fn moved(&mut self, now: u64, from: State) {
        self.time_in.add(from, now.saturating_sub(self.since));
        self.since = now;
    }

    /// Why the breaker is to open now, if it is.
    pub(super) fn reason_to_open(&self, settings: &Settings, successes: u64) -> Option<Cause> {
        if settings.consecutive.is_some_and(|most| self.in_a_row >= most) {
            return Some(Cause::Consecutive);
        }
        let counts = self.outcomes.counts(successes);
        if counts.calls < settings.fewest_calls() {
            return None;
        }
        if settings.failure_rate.is_some_and(|rate| counts.failures_reach(rate)) {
            return Some(Cause::FailureRate);
        }
        let slow = settings.slow_after.is_some() && counts.slow_reach(settings.slow_rate);
        slow.then_some(Cause::SlowRate)
    }
}
