//! A call, after the runtime's own `held`, `call` and `claiming`: what it knows, and what it has sent.

/// A call. One that makes no step for a while is a process that was stopped, and does not know; one that
/// makes none ever again has crashed: neither needs a step of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Caller {
    pub(super) step: Step,
    pub(super) wire: Wire,
    /// When the claim was sent, and before each time that it was sent again.
    pub(super) sent: u64,
    /// From when on the body may not run, by the caller's own clock.
    pub(super) fence: u64,
    pub(super) held: Held,
    /// When the fence was looked at before an effect that is on its way.
    pub(super) flight: Option<u64>,
    pub(super) effect: Option<Effect>,
    pub(super) answer: Option<Answer>,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Step {
    #[default]
    Idle,
    Claiming,
    Waiting,
    /// Holds the key, and nothing has run.
    Holding,
    Running,
    /// Its end is being written.
    Ending(Settlement),
    /// Somebody else has taken over: is there a result?
    Superseded,
    /// Nobody waits for the claim any more, and its answer is not known.
    TakingBack,
    Over,
}

/// A step of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Send,
    Deliver,
    Lose,
    Receive,
    Begin,
    /// The body goes on, and begins its effect only now.
    Poll,
    FindOut {
        is_known: bool,
    },
    Effect,
    Succeed,
    /// The body's error says that it did not happen.
    Refuse,
    Renew,
    CutOff,
    /// Whoever waits for the call, waits no longer.
    Drop,
    Look,
}

/// What came of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Settlement {
    /// With the result of this run: its own, or one that was found out.
    Complete {
        run: u8,
    },
    Interrupt {
        ran: bool,
    },
    Release,
}

/// What is between a call and the store: one message at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Wire {
    #[default]
    Quiet,
    Sent(Request),
    Answered(Answered),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Request {
    Claim {
        /// A claim before may have arrived.
        again: bool,
        /// The sender has looked, and found a dead lease. No rule of ours looks.
        saw_dead: bool,
    },
    Renew {
        token: u64,
        sent: u64,
    },
    Settle {
        token: u64,
        settlement: Settlement,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answered {
    Acquired(Held),
    Done(Answer),
    InProgress,
    /// Interrupted, or another fingerprint.
    Refused,
    Renewed {
        written: bool,
        sent: u64,
    },
    Settled {
        written: bool,
        retention: u8,
    },
}

/// A key that a call holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub(super) token: u64,
    pub(super) took_over: bool,
    /// The judge's: see the store's.
    pub(super) order: u8,
    pub(super) retention: u8,
}

/// What cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Effect {
    pub(super) held: Held,
    /// By a ledger that has seen no greater token. Another ledger takes every effect.
    pub(super) is_accepted: bool,
    /// Nobody had taken over.
    pub(super) is_in_time: bool,
}

/// The result of a run, as it was recorded in a retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Answer {
    pub(super) run: u8,
    pub(super) retention: u8,
}

impl Caller {
    /// What is left once it is over: what it did.
    pub(super) fn end(&mut self, answer: Option<Answer>) {
        let held = if self.flight.is_some() { self.held } else { Held::default() };
        let Self { flight, effect, .. } = *self;
        *self = Self { step: Step::Over, held, flight, effect, answer, ..Self::default() };
    }

    pub(super) fn settle(&mut self, settlement: Settlement) {
        self.step = Step::Ending(settlement);
        self.wire = Wire::Sent(Request::Settle { token: self.held.token, settlement });
        (self.sent, self.fence) = (0, 0);
    }

    /// Ends, before the body did.
    pub(super) fn leave(&mut self) {
        match self.step {
            Step::Claiming => (self.step, self.sent) = (Step::TakingBack, 0),
            Step::Waiting | Step::TakingBack => self.end(None),
            Step::Holding if self.held.took_over => {
                self.settle(Settlement::Interrupt { ran: false });
            }
            Step::Holding => self.settle(Settlement::Release),
            Step::Running => self.settle(Settlement::Interrupt { ran: true }),
            Step::Idle | Step::Ending(_) | Step::Superseded | Step::Over => {}
        }
    }
}
