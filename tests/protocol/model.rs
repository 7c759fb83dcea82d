//! What may happen next, and what it changes.

use stateright::{Model, Property};
use steadfast::idempotent::{Claim, Claimed, Fingerprint, State};

use super::{
    caller::{Answer, Answered, Caller, Move, Request, Settlement, Step, Wire},
    properties::{Breach, Sight, properties},
    rules::Rules,
    store::{LEASE, LEASE_TICKS, Retention, Store, TTL, run},
    world::World,
};

/// What the attribute says, and how far the model goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Protocol<R> {
    pub(super) rules: R,
    pub(super) mode: Mode,
    pub(super) callers: u8,
    /// Whose request is another one, with the same key by mistake.
    pub(super) other: Option<u8>,
    /// When the time ends.
    pub(super) ticks: u64,
    /// How many messages may be lost, or come when nobody expects them any more.
    pub(super) losses: u8,
}

/// `on_interrupted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Fail,
    FindOut,
    Rerun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Tick,
    Purge,
    Resolve,
    /// What was given up arrives.
    Stray(usize),
    Call(u8, Move),
}

impl<R: Rules> Model for Protocol<R> {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now: 0,
            store: Store::new(),
            callers: vec![Caller::default(); self.callers.into()],
            strays: Vec::new(),
            losses: self.losses,
            breach: None,
            sight: None,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.ticks {
            actions.push(Action::Tick);
        }
        if world.store.record.is_some() {
            actions.push(Action::Purge);
        }
        actions.push(Action::Resolve);
        actions.extend((0..world.strays.len()).map(Action::Stray));
        for caller in 0..self.callers {
            // Callers are alike: they may as well begin in their order.
            let is_next = caller == 0 || world.caller(caller - 1).step != Step::Idle;
            if is_next {
                self.steps(world, caller, |step| actions.push(Action::Call(caller, step)));
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = World { breach: None, sight: None, ..before.clone() };
        match action {
            Action::Tick => world.now += 1,
            Action::Purge => self.purge(&mut world),
            Action::Resolve => self.resolve(&mut world),
            Action::Stray(stray) => {
                let (caller, request) = world.strays.remove(stray);
                self.deliver(&mut world, caller, request);
            }
            Action::Call(caller, step) => self.step(&mut world, caller, step),
        }
        world.compare(before, action);
        (!world.is_as(before)).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties(self)
    }
}

impl<R: Rules> Protocol<R> {
    fn steps(&self, world: &World, caller: u8, mut may: impl FnMut(Move)) {
        let Caller { step, wire, held, flight, .. } = *world.caller(caller);
        match wire {
            Wire::Sent(_) => may(Move::Deliver),
            Wire::Answered(_) => may(Move::Receive),
            Wire::Quiet => {}
        }
        if wire != Wire::Quiet && world.losses > 0 {
            may(Move::Lose);
        }
        if flight.is_some() {
            may(Move::Effect);
        }
        let is_quiet = wire == Wire::Quiet;
        match step {
            Step::Idle if is_quiet => may(Move::Send),
            Step::Ending(settlement) if is_quiet => {
                may(Move::Send);
                if matches!(settlement, Settlement::Complete { .. }) {
                    // Its answer was lost.
                    may(Move::Renew);
                }
            }
            Step::Claiming | Step::Waiting | Step::TakingBack if is_quiet => {
                may(Move::Send);
                may(Move::Drop);
            }
            Step::Holding => {
                if held.took_over && self.mode == Mode::FindOut {
                    may(Move::FindOut { is_known: true });
                    may(Move::FindOut { is_known: false });
                } else {
                    may(Move::Begin);
                }
                may(Move::Drop);
            }
            Step::Running if is_quiet => self.running_steps(world, caller, may),
            Step::Superseded => may(Move::Look),
            _ => {}
        }
    }

    fn running_steps(&self, world: &World, caller: u8, mut may: impl FnMut(Move)) {
        let Caller { fence, flight, effect, .. } = *world.caller(caller);
        may(if effect.is_some() { Move::Succeed } else { Move::Refuse });
        may(Move::Drop);
        if self.rules.is_fenced(fence, world.now) {
            may(Move::CutOff);
            return;
        }
        if flight.is_some_and(|looked_at| looked_at < world.now) {
            may(Move::Poll);
        }
        if fence < world.now + LEASE_TICKS {
            may(Move::Renew);
        }
    }

    fn step(&self, world: &mut World, caller: u8, step: Move) {
        let now = world.now;
        let me = *world.caller(caller);
        let call = world.caller_mut(caller);
        match step {
            Move::Send => self.send(world, caller),
            Move::Deliver => self.arrive(world, caller),
            Move::Lose => self.lose(world, caller),
            Move::Receive => {
                let Wire::Answered(answered) = me.wire else { return };
                call.wire = Wire::Quiet;
                self.receive(world, caller, answered);
            }
            Move::Begin if !self.rules.may_begin(me.fence, now) => call.leave(),
            Move::Begin => (call.step, call.flight) = (Step::Running, Some(now)),
            Move::Poll => call.flight = Some(now),
            Move::FindOut { is_known } => self.find_out(world, caller, is_known),
            Move::Effect => world.effect(caller),
            Move::Succeed => call.settle(Settlement::Complete { run: caller }),
            Move::Refuse => {
                call.flight = None;
                // It has done nothing itself; of the run before, nobody knows.
                let unresolved = me.held.took_over;
                call.settle(if unresolved {
                    Settlement::Interrupt { ran: false }
                } else {
                    Settlement::Release
                });
            }
            Move::Renew => {
                call.wire = Wire::Sent(Request::Renew { token: me.held.token, sent: now });
            }
            Move::CutOff => call.leave(),
            Move::Drop => {
                call.leave();
                if me.step == Step::Waiting {
                    self.rules.leave(&mut world.store);
                }
            }
            Move::Look => {
                let retention = world.store.retention();
                let answer = world.store.run().map(|run| Answer { run, retention });
                world.sight = answer.map(|_| Sight::AnswerOfSuccessor);
                world.caller_mut(caller).end(answer);
            }
        }
    }

    fn arrive(&self, world: &mut World, caller: u8) {
        let Wire::Sent(request) = world.caller(caller).wire else { return };
        let answered = self.deliver(world, caller, request);
        if matches!(answered, Answered::Acquired(held) if !held.took_over) && world.store.took_over
        {
            world.breach = Some(Breach::NotTold);
        }
        let is_safe = world.losses == 0;
        let call = world.caller_mut(caller);
        call.wire = Wire::Answered(answered);
        let is_result = matches!(call.step, Step::Ending(Settlement::Complete { .. }));
        if matches!(answered, Answered::Settled { .. }) && is_safe && !is_result {
            // Nobody waits for the answer, and it is not lost any more.
            call.end(None);
        }
    }

    fn send(&self, world: &mut World, caller: u8) {
        let saw_dead = self.rules.sees_dead(&world.store, world.now);
        let now = world.now;
        let call = world.caller_mut(caller);
        let request = match call.step {
            Step::Ending(settlement) => Request::Settle { token: call.held.token, settlement },
            Step::Claiming | Step::TakingBack => Request::Claim { again: true, saw_dead },
            _ => {
                (call.step, call.sent) = (Step::Claiming, now);
                Request::Claim { again: false, saw_dead }
            }
        };
        call.wire = Wire::Sent(request);
    }

    fn lose(&self, world: &mut World, caller: u8) {
        world.losses -= 1;
        let call = world.caller_mut(caller);
        let wire = std::mem::take(&mut call.wire);
        if let Step::Ending(settlement) = &mut call.step {
            *settlement = self.rules.insists(*settlement);
        }
        if let Wire::Sent(request) = wire {
            world.strays.push((caller, request));
            world.strays.sort_unstable();
        }
    }

    fn deliver(&self, world: &mut World, caller: u8, request: Request) -> Answered {
        let World { store, now, .. } = world;
        let was_late = store.is_late(*now);
        match request {
            Request::Claim { again, saw_dead } => self.claim(world, caller, again, saw_dead),
            Request::Renew { token, sent } => {
                let written = self.rules.renew(store, token, *now);
                world.sight = written.then_some(Sight::Renewed);
                Answered::Renewed { written, sent }
            }
            Request::Settle { token, settlement } => {
                let written = self.rules.settle(store, token, settlement, *now);
                let retention = store.retention();
                world.sight = match settlement {
                    Settlement::Complete { .. } if !written => Some(Sight::LateRefused),
                    Settlement::Complete { .. } if was_late => Some(Sight::LateAccepted),
                    _ => None,
                };
                let had_effect = world.caller(caller).effect.is_some();
                if written && had_effect && world.store.is(&State::Released) {
                    world.breach = Some(Breach::ReleasedAfterEffect);
                }
                Answered::Settled { written, retention }
            }
        }
    }

    fn claim(&self, world: &mut World, caller: u8, again: bool, saw_dead: bool) -> Answered {
        let World { store, now, sight, .. } = world;
        let claim = self.claim_of(caller, again);
        let before = store.clone();
        let answered = match self.rules.claim(store, &claim, saw_dead, *now) {
            Claimed::Acquired(acquired) => return world.acquire(&before, &claim, acquired),
            Claimed::Done(stored) => {
                *sight = Some(Sight::Replayed);
                let run = run(&stored).expect("a run");
                Answered::Done(Answer { run, retention: store.retention() })
            }
            Claimed::InProgress { .. } => Answered::InProgress,
            Claimed::Interrupted { .. } => {
                *sight = Some(Sight::CapReached);
                Answered::Refused
            }
            Claimed::Failed(_) | Claimed::Mismatch => {
                *sight = Some(Sight::Mismatch);
                Answered::Refused
            }
        };
        world.judge_refusal(&before, &claim, answered);
        answered
    }

    fn claim_of(&self, caller: u8, again: bool) -> Claim {
        let is_other = self.other == Some(caller);
        let max_interruptions = if self.mode == Mode::Fail { 0 } else { 2 };
        Claim::new(self.rules.owner(caller, again))
            .fingerprint(Fingerprint::new(&is_other).expect("serialisable"))
            .lease(LEASE)
            .ttl(TTL)
            .max_interruptions(max_interruptions)
    }

    fn receive(&self, world: &mut World, caller: u8, answered: Answered) {
        let call = world.caller_mut(caller);
        let is_claiming = call.step == Step::Claiming;
        match (answered, call.step) {
            (Answered::Acquired(held), Step::Claiming) => {
                call.held = held;
                call.step = Step::Holding;
                call.fence = call.sent + LEASE_TICKS;
                call.sent = 0;
            }
            (Answered::Acquired(held), _) => {
                call.held = held;
                call.step = Step::Holding;
                call.leave();
            }
            (Answered::InProgress, Step::Claiming) => (call.step, call.sent) = (Step::Waiting, 0),
            (Answered::Done(answer), _) => call.end(Some(answer).filter(|_| is_claiming)),
            (Answered::Renewed { written, sent }, Step::Running) => {
                if self.rules.is_renewed(written) {
                    call.fence = sent + LEASE_TICKS;
                } else {
                    call.leave();
                }
            }
            (
                Answered::Settled { written, retention },
                Step::Ending(Settlement::Complete { run }),
            ) => {
                if self.rules.is_recorded(written) {
                    call.end(Some(Answer { run, retention }));
                } else {
                    call.step = Step::Superseded;
                }
            }
            (Answered::InProgress | Answered::Refused | Answered::Settled { .. }, _) => {
                call.end(None);
            }
            (Answered::Renewed { .. }, _) => {}
        }
    }

    /// Asks the world what came of the run before, which may know.
    fn find_out(&self, world: &mut World, caller: u8, is_known: bool) {
        let run = world.effect_of(world.caller(caller).held.retention);
        let is_fenced = self.rules.is_fenced(world.caller(caller).fence, world.now);
        let call = world.caller_mut(caller);
        match run {
            _ if !is_known || is_fenced => call.settle(Settlement::Interrupt { ran: false }),
            Some(run) => call.settle(Settlement::Complete { run }),
            None => call.held.took_over = false,
        }
        if is_known && !is_fenced {
            world.sight = Some(Sight::FoundOut);
        }
    }

    fn purge(&self, world: &mut World) {
        let is_expired = world.store.is_expired(world.now);
        self.rules.purge(&mut world.store, world.now);
        if is_expired {
            world.store.retentions.push(Retention::default());
        }
    }

    /// An operator looks, and says what there is: the truth, of that moment.
    fn resolve(&self, world: &mut World) {
        let run = world.effect_of(world.store.retention());
        if self.rules.resolve(&mut world.store, run, world.now) {
            world.sight = Some(Sight::Resolved);
        }
    }
}
