//! A breaker's state in one word.

use std::num::NonZeroU64;

use super::snapshot::State;

/// State, probes and generation: 3 bits, 8 for the probes that run, 8 for those that succeeded, 8 for
/// the round of probes, and 37 for the generation, which a transition a millisecond would take four
/// years to use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

const RUNNING: u64 = 1 << 3;
const SUCCEEDED: u64 = 1 << 11;
const ROUND: u64 = 1 << 19;
const GENERATION: u64 = 1 << 27;
const STATE_MASK: u64 = RUNNING - 1;
const PROBE_MASK: u64 = 0xff;

impl Word {
    pub(super) const fn new(state: State) -> Self {
        Self(code(state))
    }

    #[inline]
    pub(super) const fn state(self) -> State {
        match self.0 & STATE_MASK {
            1 => State::Closed,
            2 => State::Open,
            3 => State::HalfOpen,
            4 => State::ForcedOpen,
            5 => State::ForcedClosed,
            _ => State::Disabled,
        }
    }

    pub(super) const fn running(self) -> u64 {
        (self.0 / RUNNING) & PROBE_MASK
    }

    pub(super) const fn succeeded(self) -> u64 {
        (self.0 / SUCCEEDED) & PROBE_MASK
    }

    /// A call's leave to run, if that is all there is to ask.
    #[inline]
    pub(super) const fn permit_if_closed(self) -> Option<Permit> {
        match (NonZeroU64::new(self.0), self.state()) {
            (Some(word), State::Closed) => Some(Permit(word)),
            _ => None,
        }
    }

    pub(super) fn permit(self) -> Permit {
        Permit(NonZeroU64::new(self.0).unwrap_or(NonZeroU64::MIN))
    }

    /// No more probes are let in than can still matter.
    pub(super) fn has_room(self, probes: u8) -> bool {
        self.running() + self.succeeded() < u64::from(probes)
    }

    /// Whether no transition lies between.
    #[inline]
    pub(super) const fn same_generation(self, other: Self) -> bool {
        self.0 / GENERATION == other.0 / GENERATION
    }

    /// Whether the probes of one still have the places that they had in the other.
    pub(super) const fn same_round(self, other: Self) -> bool {
        self.0 / ROUND == other.0 / ROUND
    }

    /// The next generation, in another state.
    pub(super) const fn next(self, state: State) -> Self {
        Self((self.0 / GENERATION + 1).wrapping_mul(GENERATION) | code(state))
    }

    /// The next round of probes: those that run have lost their places, and nothing else.
    pub(super) const fn next_round(self) -> Self {
        let rounds = (GENERATION - 1) & !(ROUND - 1);
        let round = self.0.wrapping_add(ROUND) & rounds;
        Self((self.0 & !rounds & !(PROBE_MASK * RUNNING)) | round)
    }

    pub(super) const fn with_probe(self) -> Self {
        Self(self.0 + RUNNING)
    }

    pub(super) const fn without_probe(self) -> Self {
        Self(self.0 - RUNNING)
    }

    pub(super) const fn with_success(self) -> Self {
        Self(self.0 + SUCCEEDED)
    }
}

/// A state in a word, which is never zero.
const fn code(state: State) -> u64 {
    match state {
        State::Closed => 1,
        State::Open => 2,
        State::HalfOpen => 3,
        State::ForcedOpen => 4,
        State::ForcedClosed => 5,
        State::Disabled => 6,
    }
}

/// A call's leave to run. It holds the word it was admitted under, so that a result from an earlier
/// time changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit(NonZeroU64);

impl Permit {
    /// That of a call that goes past its breaker, as if it were disabled.
    pub(super) const UNCOUNTED: Self = match NonZeroU64::new(code(State::Disabled)) {
        Some(word) => Self(word),
        None => unreachable!(),
    };

    #[inline]
    pub(super) const fn word(self) -> Word {
        Word(self.0.get())
    }
}
