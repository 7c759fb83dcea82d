use std::time::Duration;

use steadfast::idempotent::{
    Claim, Claimed, Record, Resolution, State, StoreError, Stored, Written,
};
use tokio::sync::oneshot;

/// Where an answer goes. Nobody may be there any more.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked for, at a time of the store's clock.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) now: u64,
    pub(crate) operation: Operation,
}

#[derive(Debug)]
pub(crate) enum Operation {
    Claim { key: Vec<u8>, claim: Claim, answer: Answer<Claimed> },
    Write { key: Vec<u8>, write: Write, answer: Answer<Written> },
    Resolve { key: Vec<u8>, resolution: Resolution, answer: Answer<bool> },
    Purge { most: usize, answer: Answer<u64> },
}

/// A write that a token guards.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) token: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Renew(Duration),
    Complete { succeeded: bool, result: Stored },
    Release,
    Interrupt { ran: bool },
}

impl Operation {
    /// Whether it may be left undone, since nobody would hear of it.
    ///
    /// So a claim: nobody would run what it stands for, and the key would wait for the end of the
    /// lease. A write says what has happened, whoever hears of it.
    pub(crate) fn is_moot(&self) -> bool {
        matches!(self, Self::Claim { answer, .. } if answer.is_closed())
    }

    /// Answers it without having done it.
    pub(crate) fn refuse(self, why: StoreError) {
        match self {
            Self::Claim { answer, .. } => drop(answer.send(Err(why))),
            Self::Write { answer, .. } => drop(answer.send(Err(why))),
            Self::Resolve { answer, .. } => drop(answer.send(Err(why))),
            Self::Purge { answer, .. } => drop(answer.send(Err(why))),
        }
    }
}

impl Write {
    pub(crate) fn apply(self, record: &mut Record, now: u64) -> Written {
        match self.what {
            What::Renew(lease) => record.renew(self.token, lease, now),
            What::Complete { succeeded, result } => {
                record.complete(self.token, succeeded, result, now)
            }
            What::Release => record.release(self.token, now),
            What::Interrupt { ran } => record.interrupt(self.token, ran),
        }
    }
}

/// Whether those who wait for a key should ask again.
pub(crate) fn is_over(record: &Record) -> bool {
    record.state != State::InProgress
}
