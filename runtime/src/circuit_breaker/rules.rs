//! What the state machine is told, what it goes by, and what it tells.

use super::{
    settings::Settings,
    snapshot::{Cause, State},
};

/// What has become of an admitted call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Success,
    Failure,
    /// An answer, though not the wanted one: the dependency is well.
    Healthy,
    /// No answer: dropped, or refused further down.
    Nothing,
}

/// Why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// How long until the next probe, in nanoseconds, if that is known.
    pub(super) retry_after: Option<u64>,
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) from: State,
    pub(super) to: State,
    pub(super) cause: Cause,
    /// For how long, if it has opened.
    pub(super) open_for: Option<u64>,
}

/// What a machine goes by, and whom it tells.
pub(super) trait Rules {
    fn settings(&self) -> &Settings;
    /// The time, exact to the tick of a coarse clock.
    fn now(&self) -> u64;
    fn exact_now(&self) -> u64;
    /// By chance, in [-1, 1].
    fn spread(&self) -> f64;
    /// When the call that asks must have ended, if it must.
    fn ends(&self) -> Option<u64>;
    /// Never called under the lock.
    fn tell(&self, change: Change);
}
