//! All there is: calls of one key, its store, what is between them, and what the calls did.

use steadfast::idempotent::{Acquired, Claim};

use super::{
    caller::{Answered, Caller, Effect, Held, Request, Step},
    properties::{Breach, Sight},
    store::Store,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) now: u64,
    pub(super) store: Store,
    pub(super) callers: Vec<Caller>,
    /// Messages that were given up, and may arrive all the same.
    pub(super) strays: Vec<(u8, Request)>,
    pub(super) losses: u8,
    /// What was wrong in the latest step.
    pub(super) breach: Option<Breach>,
    /// What was worth seeing in it.
    pub(super) sight: Option<Sight>,
}

impl World {
    /// Whether it is the same, whatever was seen on the way to it.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let Self { now, store, callers, strays, losses, breach: _, sight: _ } = self;
        (*now, *losses) == (other.now, other.losses)
            && (store, callers, strays) == (&other.store, &other.callers, &other.strays)
    }

    pub(super) fn caller(&self, caller: u8) -> &Caller {
        &self.callers[usize::from(caller)]
    }

    pub(super) fn caller_mut(&mut self, caller: u8) -> &mut Caller {
        &mut self.callers[usize::from(caller)]
    }

    /// A claim got the key, now or before.
    pub(super) fn acquire(
        &mut self,
        before: &Store,
        claim: &Claim,
        acquired: Acquired,
    ) -> Answered {
        let Acquired { token, took_over, .. } = acquired;
        if before.is_run_by(claim.owner) && !before.is_expired(self.now) {
            self.sight = Some(Sight::LostClaimRecovered);
        } else {
            self.admit(before, token);
        }
        let (order, retention) = (self.store.order, self.store.retention());
        Answered::Acquired(Held { token, took_over, order, retention })
    }

    /// A run of this retention that had its effect.
    pub(super) fn effect_of(&self, retention: u8) -> Option<u8> {
        let is_one =
            |call: &Caller| call.effect.is_some_and(|effect| effect.held.retention == retention);
        self.callers.iter().position(is_one).map(|run| u8::try_from(run).expect("few"))
    }

    /// An effect arrives at the ledgers.
    pub(super) fn effect(&mut self, caller: u8) {
        let me = *self.caller(caller);
        let Some(looked_at) = me.flight else { return };
        let held = me.held;
        let accepted = || {
            let effects = self.callers.iter().filter_map(|call| call.effect);
            effects.filter(|effect| effect.is_accepted)
        };
        let is_accepted = accepted().all(|effect| effect.held.token <= held.token);
        let is_in_time = held.order == self.store.order;
        let is_awake = me.step == Step::Running && looked_at == self.now;
        let is_stale = accepted().any(|effect| effect.held.order > held.order);
        self.sight = (!is_accepted).then_some(Sight::EffectRefused);
        self.breach = match () {
            () if is_awake && !is_in_time => Some(Breach::AwakeAndSuperseded),
            () if is_accepted && is_stale => Some(Breach::StaleAccepted),
            () if !is_accepted && is_in_time => Some(Breach::OwnerRefused),
            () => None,
        };
        let call = self.caller_mut(caller);
        (call.flight, call.effect) = (None, Some(Effect { held, is_accepted, is_in_time }));
        if call.step == Step::Over {
            call.held = Held::default();
        }
    }
}
