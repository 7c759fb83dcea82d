//! The store: the runtime's own record of one key, and what is counted on the way to judge it.

use std::{
    hash::{Hash, Hasher},
    mem::discriminant,
    time::Duration,
};

use steadfast::idempotent::{Claim, Claimed, Record, Resolution, State, Stored, Written};

use super::caller::Settlement;

/// One key, and the counter of tokens, which is kept longer than the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Store {
    pub(super) record: Option<Record>,
    /// The greatest token that the store knows to have given out.
    pub(super) issued: u64,
    /// The greatest token that it has given out: the judge's, not the store's.
    pub(super) highest: u64,
    /// How many owners there were, an operator among them: the judge's measure of who is superseded.
    pub(super) order: u8,
    /// Whether the latest owner has taken over from a run that was cut off.
    pub(super) took_over: bool,
    /// From a first claim to the end of the retention, one after the other.
    pub(super) retentions: Vec<Retention>,
}

/// What the record has told of the key's runs, from a first claim until it expired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Retention {
    pub(super) interruptions: u8,
    /// How often an operator said that it did not happen.
    pub(super) denials: u8,
}

impl Store {
    pub(super) fn new() -> Self {
        let retentions = vec![Retention::default()];
        // Another key has had the first token.
        Self { record: None, issued: 1, highest: 1, order: 0, took_over: false, retentions }
    }

    pub(super) fn claim(&mut self, claim: &Claim, now: u64) -> Claimed {
        let token = self.issued + 1;
        let claimed = if let Some(record) = &mut self.record {
            record.claim(claim, nanos(now), token)
        } else {
            let (record, acquired) = Record::new(claim, nanos(now), token);
            self.record = Some(record);
            Claimed::Acquired(acquired)
        };
        if let Claimed::Acquired(acquired) = claimed {
            self.issued = self.issued.max(acquired.token);
        }
        claimed
    }

    pub(super) fn renew(&mut self, token: u64, now: u64) -> bool {
        self.write(|record| record.renew(token, LEASE, nanos(now)))
    }

    pub(super) fn settle(&mut self, token: u64, settlement: Settlement, now: u64) -> bool {
        self.write(|record| match settlement {
            Settlement::Complete { run } => {
                record.complete(token, true, Stored::of(&run), nanos(now))
            }
            Settlement::Interrupt { ran } => record.interrupt(token, ran),
            Settlement::Release => record.release(token, nanos(now)),
        })
    }

    /// What an operator says, who has looked whether there is an effect.
    pub(super) fn resolve(&mut self, run: Option<u8>, now: u64) -> bool {
        let resolution =
            run.map_or(Resolution::DidNotHappen, |run| Resolution::Done(Stored::of(&run)));
        let token = self.issued + 1;
        let Some(record) = &mut self.record else { return false };
        let is_resolved = record.resolve(&resolution, nanos(now), token);
        if is_resolved {
            (self.issued, self.highest) = (record.token, record.token.max(self.highest));
            self.order += 1;
            self.retention_mut().denials += u8::from(run.is_none());
        }
        is_resolved
    }

    fn write(&mut self, write: impl FnOnce(&mut Record) -> Written) -> bool {
        self.record.as_mut().is_some_and(|record| write(record) == Written::Yes)
    }

    pub(super) fn is_expired(&self, now: u64) -> bool {
        self.record.as_ref().is_some_and(|record| record.is_expired(nanos(now)))
    }

    pub(super) fn is_interrupted(&self, now: u64) -> bool {
        let record = self.record.as_ref();
        record.is_some_and(|record| record.is_interrupted(nanos(now))) && !self.is_expired(now)
    }

    /// Whether the run in progress has a lease that is dead.
    pub(super) fn is_late(&self, now: u64) -> bool {
        self.is_interrupted(now) && self.is(&State::InProgress)
    }

    pub(super) fn is(&self, state: &State) -> bool {
        self.record.as_ref().is_some_and(|record| record.state == *state)
    }

    pub(super) fn is_run_by(&self, owner: u128) -> bool {
        self.is(&State::InProgress) && self.record.as_ref().is_some_and(|it| it.owner == owner)
    }

    /// Which run's result is kept.
    pub(super) fn run(&self) -> Option<u8> {
        match &self.record.as_ref()?.state {
            State::Done(stored) => run(stored),
            _ => None,
        }
    }

    pub(super) fn retention(&self) -> u8 {
        u8::try_from(self.retentions.len() - 1).expect("few")
    }

    pub(super) fn retention_mut(&mut self) -> &mut Retention {
        self.retentions.last_mut().expect("there is a first")
    }
}

impl Hash for Store {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { record, issued, highest, order, took_over, retentions } = self;
        (issued, highest, order, took_over, retentions).hash(hasher);
        let Some(record) = record else { return };
        let Record { state, token, owner, fingerprint, .. } = record;
        let Record { lease_until, expires_at, attempts, interruptions, .. } = record;
        (discriminant(state), self.run(), token, owner, fingerprint).hash(hasher);
        (lease_until, expires_at, attempts, interruptions).hash(hasher);
    }
}

pub(super) fn run(stored: &Stored) -> Option<u8> {
    let Stored::Json(json) = stored else { return None };
    std::str::from_utf8(json).ok()?.parse().ok()
}

pub(super) fn nanos(ticks: u64) -> u64 {
    u64::try_from(TICK.as_nanos()).expect("short") * ticks
}

/// Half of what a tombstone is kept for, so that it is shorter than a result's retention.
const TICK: Duration = Duration::from_secs(300);
pub(super) const LEASE_TICKS: u64 = 2;
pub(super) const LEASE: Duration = Duration::from_secs(600);
pub(super) const TTL: Duration = Duration::from_secs(900);
pub(super) const TTL_TICKS: u64 = 3;
