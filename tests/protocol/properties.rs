//! What must always hold, and what must be seen to happen sometimes.

use stateright::Property;
use steadfast::idempotent::{Claim, State};

use super::{
    caller::{Answer, Answered, Move},
    model::{Action, Mode, Protocol},
    rules::Rules,
    store::{Retention, Store, TTL_TICKS},
    world::World,
};

/// A step that no protocol of ours makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Breach {
    AwakeAndSuperseded,
    CompletionChanged,
    Misled,
    NotTold,
    OwnerRefused,
    ReleasedAfterEffect,
    StaleAccepted,
    TokenRepeated,
    WaiterWrote,
    WaitsForItself,
}

/// A step without which the model would say little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sight {
    AnswerOfSuccessor,
    CapReached,
    ClaimedAnew,
    EffectRefused,
    FoundOut,
    LateAccepted,
    LateRefused,
    LostClaimRecovered,
    Mismatch,
    Renewed,
    Replayed,
    Resolved,
    TakenOver,
}

pub(super) fn properties<R: Rules>(protocol: &Protocol<R>) -> Vec<Property<Protocol<R>>> {
    let always = Property::<Protocol<R>>::always;
    let mut properties = vec![
        always(ANSWERS_ARE_ONE, |_, world| world.answers_are_one()),
        always(EFFECTS_ARE_FEW, |protocol, world| world.effects_are_few(protocol.mode)),
    ];
    properties.extend(steps_are_right());
    properties.extend(steps_are_seen(protocol));
    properties
}

fn steps_are_right<R: Rules>() -> [Property<Protocol<R>>; 10] {
    use Breach as B;

    let never = Property::<Protocol<R>>::always;
    [
        never(AWAKE_OWNER_IS_CURRENT, |_, world| world.breach != Some(B::AwakeAndSuperseded)),
        never(COMPLETION_STAYS, |_, world| world.breach != Some(B::CompletionChanged)),
        never(MISMATCH_IS_TOLD, |_, world| world.breach != Some(B::Misled)),
        never(TAKEOVER_IS_TOLD, |_, world| world.breach != Some(B::NotTold)),
        never(OWNER_IS_TAKEN, |_, world| world.breach != Some(B::OwnerRefused)),
        never(EFFECT_IS_NOT_RELEASED, |_, world| world.breach != Some(B::ReleasedAfterEffect)),
        never(STALE_IS_REFUSED, |_, world| world.breach != Some(B::StaleAccepted)),
        never(TOKENS_RISE, |_, world| world.breach != Some(B::TokenRepeated)),
        never(WAITER_CHANGES_NOTHING, |_, world| world.breach != Some(B::WaiterWrote)),
        never(NOBODY_WAITS_FOR_ITSELF, |_, world| world.breach != Some(B::WaitsForItself)),
    ]
}

/// Of some modes and of a world without losses, one cannot expect all.
fn steps_are_seen<R: Rules>(protocol: &Protocol<R>) -> Vec<Property<Protocol<R>>> {
    use Sight as S;

    let seen = Property::<Protocol<R>>::sometimes;
    let mut properties = vec![
        seen("a late completion is accepted", |_, world| world.sight == Some(S::LateAccepted)),
        seen("a late completion is refused", |_, world| world.sight == Some(S::LateRefused)),
        seen("a lease is renewed", |_, world| world.sight == Some(S::Renewed)),
        seen("a duplicate gets the result", |_, world| world.sight == Some(S::Replayed)),
        seen("an operator resolves a key", |_, world| world.sight == Some(S::Resolved)),
        seen("the ledger refuses an effect", |_, world| world.sight == Some(S::EffectRefused)),
        seen("a superseded owner gets its successor's answer", |_, world| {
            world.sight == Some(S::AnswerOfSuccessor)
        }),
    ];
    let (name, is_seen): (_, fn(&_, &World) -> bool) = if protocol.other.is_none() {
        ("a key is cut off too often", |_, world| world.sight == Some(S::CapReached))
    } else {
        ("another fingerprint is told", |_, world| world.sight == Some(S::Mismatch))
    };
    properties.push(seen(name, is_seen));
    if protocol.mode != Mode::Fail {
        properties.push(seen("a key is taken over", |_, world| world.sight == Some(S::TakenOver)));
    }
    if protocol.mode == Mode::FindOut {
        properties.push(seen("a run is found out", |_, world| world.sight == Some(S::FoundOut)));
    }
    if protocol.losses > 0 {
        properties.push(seen("a claim without an answer is recovered", |_, world| {
            world.sight == Some(S::LostClaimRecovered)
        }));
    }
    if protocol.ticks >= TTL_TICKS {
        properties.push(seen("a key that expired is claimed anew", |_, world| {
            world.sight == Some(S::ClaimedAnew)
        }));
    }
    properties
}

impl World {
    fn answers_are_one(&self) -> bool {
        let answers = || self.callers.iter().filter_map(|call| call.answer);
        answers().all(|answer| {
            let effect = self.caller(answer.run).effect;
            let is_of_run = effect.is_some_and(|effect| effect.held.retention == answer.retention);
            let is_one = |other: Answer| other.retention != answer.retention || other == answer;
            is_of_run && answers().all(is_one)
        })
    }

    /// An effect that comes once nobody believes in its run is out of anybody's hands but a fence's.
    fn effects_are_few(&self, mode: Mode) -> bool {
        let retentions = (0..).zip(&self.store.retentions);
        retentions.into_iter().all(|(number, retention)| {
            let effects = || {
                let effects = self.callers.iter().filter_map(|call| call.effect);
                effects.filter(|effect| effect.held.retention == number)
            };
            let all = effects().count();
            let in_time = effects().filter(|effect| effect.is_in_time).count();
            let Retention { interruptions, denials } = *retention;
            match mode {
                Mode::Fail => in_time <= 1 && all <= usize::from(1 + denials),
                Mode::FindOut => in_time <= 1 && all <= usize::from(1 + denials + interruptions),
                Mode::Rerun => all <= usize::from(1 + denials + interruptions),
            }
        })
    }

    /// Somebody holds the key who did not before.
    pub(super) fn admit(&mut self, before: &Store, token: u64) {
        let is_anew = before.is_expired(self.now);
        if is_anew {
            self.store.retentions.push(Retention::default());
        }
        self.store.took_over = before.is_interrupted(self.now);
        if self.store.took_over {
            self.sight = Some(Sight::TakenOver);
        } else if is_anew || (before.record.is_none() && before.order > 0) {
            self.sight = Some(Sight::ClaimedAnew);
        }
        if token <= before.highest {
            self.breach = Some(Breach::TokenRepeated);
        }
        self.store.highest = before.highest.max(token);
        self.store.order += 1;
    }

    /// A claim did not get the key.
    pub(super) fn judge_refusal(&mut self, before: &Store, claim: &Claim, answered: Answered) {
        if self.store != *before {
            self.breach = Some(Breach::WaiterWrote);
        }
        let Some(record) = &before.record else { return };
        let is_other = record.fingerprint.differs_from(claim.fingerprint);
        if is_other && answered != Answered::Refused {
            self.breach = Some(Breach::Misled);
        }
        if record.state == State::InProgress && record.owner % OWNERS == claim.owner % OWNERS {
            self.breach = Some(Breach::WaitsForItself);
        }
    }

    /// What is wrong between two worlds, whatever was done; and what the record has counted.
    pub(super) fn compare(&mut self, before: &Self, action: Action) {
        let was_done = before.store.run().filter(|_| !before.store.is_expired(before.now));
        if was_done.is_some() && self.store.run() != was_done {
            self.breach = Some(Breach::CompletionChanged);
        }
        let writes =
            !matches!(action, Action::Tick | Action::Call(_, Move::Send | Move::Lose | Move::Drop));
        if !writes && self.store != before.store {
            self.breach = Some(Breach::WaiterWrote);
        }
        let interruptions = |store: &Store| store.record.as_ref().map_or(0, |it| it.interruptions);
        let more = interruptions(&self.store).saturating_sub(interruptions(&before.store));
        self.store.retention_mut().interruptions += u8::try_from(more).expect("few");
    }
}

/// A caller's number is what is left of its owner's by this.
pub(super) const OWNERS: u128 = 100;

pub(super) const ANSWERS_ARE_ONE: &str = "answers are one, of a run that had its effect";
pub(super) const EFFECTS_ARE_FEW: &str = "no effect is repeated without a word";
pub(super) const AWAKE_OWNER_IS_CURRENT: &str = "no owner that is awake acts after its successor";
pub(super) const COMPLETION_STAYS: &str = "a completion stays until it expires";
pub(super) const MISMATCH_IS_TOLD: &str = "another fingerprint neither waits nor gets a result";
pub(super) const TAKEOVER_IS_TOLD: &str = "who takes over from a run that was cut off is told";
pub(super) const OWNER_IS_TAKEN: &str = "the ledger with a fence takes the effect of the owner";
pub(super) const EFFECT_IS_NOT_RELEASED: &str = "a run that had its effect is not released";
pub(super) const STALE_IS_REFUSED: &str =
    "the ledger with a fence takes no effect after a successor's";
pub(super) const TOKENS_RISE: &str = "tokens rise";
pub(super) const WAITER_CHANGES_NOTHING: &str = "a call that does not hold the key changes nothing";
pub(super) const NOBODY_WAITS_FOR_ITSELF: &str = "no call waits for itself";
