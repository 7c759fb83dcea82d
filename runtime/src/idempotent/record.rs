use std::{sync::Arc, time::Duration};

use super::{
    fingerprint::Fingerprint,
    store::{Acquired, Claim, Claimed, Resolution, Written},
};

/// What a store keeps of a key, and how it changes: the protocol, without a clock, a lock or a disk.
///
/// A store that can change a record in one step (under a lock, in a transaction) need only keep these
/// and call their methods; one whose server decides has the same rules there, in the same order. Times
/// are nanoseconds of the store's own clock, and of nobody else's.
///
/// # Example: a run, and a duplicate
///
/// ```
/// use std::time::Duration;
/// use steadfast::idempotent::{Claim, Claimed, Record, Stored, Written};
///
/// let claim = Claim::new(1).lease(Duration::from_secs(30)).ttl(Duration::from_secs(3_600));
/// let (mut record, _) = Record::new(&claim, 0, 7);
/// assert_eq!(record.complete(6, true, Stored::Json((*b"1").into()), 0), Written::LeaseLost);
/// assert_eq!(record.complete(7, true, Stored::Json((*b"1").into()), 0), Written::Yes);
///
/// let duplicate = record.claim(&Claim::new(2), 1_000, 8);
/// assert!(matches!(duplicate, Claimed::Done(Stored::Json(json)) if *json == *b"1"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What has come of it so far.
    pub state: State,
    /// The fencing token of the latest claim: greater than that of any before.
    pub token: u64,
    /// Who made the latest claim.
    pub owner: u128,
    /// What the key stands for.
    pub fingerprint: Fingerprint,
    /// Until when the owner is believed to be alive, while it runs.
    pub lease_until: u64,
    /// From when on the record may be forgotten, unless it runs.
    pub expires_at: u64,
    /// How long it is kept, in nanoseconds.
    pub ttl: u64,
    /// How many claims there were.
    pub attempts: u32,
    /// How many of the runs were cut off.
    pub interruptions: u32,
}

/// What has come of a key.
///
/// # Example: what is terminal
///
/// ```
/// use steadfast::idempotent::{State, Stored};
///
/// let is_terminal = |state: &State| matches!(state, State::Done(_) | State::Failed(_));
/// assert!(is_terminal(&State::Done(Stored::TooLarge { size: 1_000_000 })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It succeeded, with this.
    Done(Stored),
    /// It failed for good, with this.
    Failed(Stored),
    /// Somebody runs it, or did when last heard of.
    InProgress,
    /// A run was cut off, and nobody knows how far it came.
    Interrupted,
    /// It did not happen, and may run again.
    Released,
}

/// A result, as it is kept.
///
/// # Example: the JSON of a receipt
///
/// ```
/// use steadfast::idempotent::Stored;
///
/// assert_eq!(Stored::of(&17), Stored::Json((*b"17").into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// As JSON.
    Json(Arc<[u8]>),
    /// It is more than 256 KiB, or than the store takes: only that it happened is known.
    TooLarge {
        /// Its size as JSON, in bytes; at least.
        size: u64,
    },
    /// Its `Serialize` failed: only that it happened is known.
    Unserializable,
}

impl Record {
    /// The record of a key's first claim.
    ///
    /// # Example: who holds it
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Record};
    ///
    /// let (record, acquired) = Record::new(&Claim::new(1), 0, 7);
    /// assert_eq!((record.token, acquired.token, acquired.attempt), (7, 7, 1));
    /// ```
    pub fn new(claim: &Claim, now: u64, token: u64) -> (Self, Acquired) {
        let mut record = Self {
            state: State::InProgress,
            token,
            owner: claim.owner,
            fingerprint: claim.fingerprint,
            lease_until: now,
            expires_at: now,
            ttl: 0,
            attempts: 0,
            interruptions: 0,
        };
        record.take(claim, now, token);
        let acquired = record.acquired(false);
        (record, acquired)
    }

    /// Another claim. Decided in this order:
    ///
    /// 1. expired, and nobody runs it: as a first claim;
    /// 2. in progress, and the owner is the same: acquired again, with a lease that begins anew, since
    ///    the reply was lost;
    /// 3. released or interrupted by the same owner: in progress, with nothing remaining, as this claim has
    ///    come after its call was over, and must not hold the key for nobody;
    /// 4. released: acquired;
    /// 5. another fingerprint: a mismatch;
    /// 6. done or failed: the result;
    /// 7. in progress, with a lease that lives: in progress;
    /// 8. in progress with a dead lease, or interrupted: acquired, unless it was interrupted too often.
    ///
    /// `token` is one that the store has not given out before.
    ///
    /// # Example: the owner is gone
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Claimed, Record};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// let too_late = record.lease_until;
    /// let Claimed::Acquired(acquired) = record.claim(&Claim::new(2), too_late, 8) else { panic!() };
    /// assert_eq!((acquired.token, acquired.interruptions), (8, 1));
    /// ```
    pub fn claim(&mut self, claim: &Claim, now: u64, token: u64) -> Claimed {
        let next = token.max(self.token.saturating_add(1));
        if self.is_expired(now) {
            let (record, acquired) = Self::new(claim, now, next);
            *self = record;
            return Claimed::Acquired(acquired);
        }
        if matches!(self.state, State::Interrupted | State::Released) && self.owner == claim.owner {
            return Claimed::InProgress { remaining: Duration::ZERO, changed: None };
        }
        if self.state == State::InProgress && self.owner == claim.owner {
            // The caller counts from when it sent this one, and may not know that one before arrived.
            self.lease_until = self.lease_until.max(after(now, claim.lease));
            self.keep_from(self.lease_until);
            // It may be the takeover whose reply was lost: told too often does less harm than never.
            return Claimed::Acquired(self.acquired(self.interruptions > 0));
        }
        if self.state == State::Released {
            self.take(claim, now, next);
            return Claimed::Acquired(self.acquired(false));
        }
        if self.fingerprint.differs_from(claim.fingerprint) {
            return Claimed::Mismatch;
        }
        match &self.state {
            State::Done(stored) => Claimed::Done(stored.clone()),
            State::Failed(stored) => Claimed::Failed(stored.clone()),
            State::InProgress if self.lease_until > now => {
                let remaining = Duration::from_nanos(self.lease_until - now);
                Claimed::InProgress { remaining, changed: None }
            }
            State::InProgress | State::Interrupted | State::Released => {
                let interruptions = self.interruptions_at(now);
                if interruptions >= claim.max_interruptions {
                    return Claimed::Interrupted { attempts: self.attempts, interruptions };
                }
                self.interruptions = interruptions;
                self.take(claim, now, next);
                Claimed::Acquired(self.acquired(true))
            }
        }
    }

    fn take(&mut self, claim: &Claim, now: u64, token: u64) {
        self.state = State::InProgress;
        self.token = token;
        self.owner = claim.owner;
        self.fingerprint = claim.fingerprint;
        self.lease_until = after(now, claim.lease);
        self.ttl = nanos(claim.ttl);
        self.expires_at = now.saturating_add(self.ttl);
        self.keep_from(self.lease_until);
        self.attempts = self.attempts.saturating_add(1);
    }

    /// Sees to it that at least half of the retention is left from then on: a run may take longer than
    /// what came of it is to be kept. Mostly it does not, and nothing changes.
    fn keep_from(&mut self, time: u64) {
        if self.expires_at < time.saturating_add(self.ttl / 2) {
            self.expires_at = time.saturating_add(self.ttl);
        }
    }

    fn acquired(&self, took_over: bool) -> Acquired {
        let (token, attempt, interruptions) = (self.token, self.attempts, self.interruptions);
        Acquired { token, attempt, interruptions, took_over }
    }

    /// The owner is alive: its lease begins anew. Accepted too where it has run out, unless somebody
    /// else has taken over.
    ///
    /// # Example: in time
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::idempotent::{Claim, Record, Written};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// assert_eq!(record.renew(7, Duration::from_secs(30), 20_000_000_000), Written::Yes);
    /// assert_eq!(record.lease_until, 50_000_000_000);
    /// ```
    pub fn renew(&mut self, token: u64, lease: Duration, now: u64) -> Written {
        if !self.is_held_by(token) {
            return Written::LeaseLost;
        }
        self.lease_until = after(now, lease);
        self.keep_from(self.lease_until);
        Written::Yes
    }

    /// The owner has a result, which is kept for at least half of its retention from now on. Accepted too where its lease has run out, unless somebody else has
    /// taken over, and when it says so twice.
    ///
    /// # Example: of somebody who was superseded
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Record, Stored, Written};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// let too_late = record.lease_until;
    /// record.claim(&Claim::new(2), too_late, 8);
    /// assert_eq!(record.complete(7, true, Stored::of(&"late"), too_late), Written::LeaseLost);
    /// ```
    pub fn complete(&mut self, token: u64, succeeded: bool, result: Stored, now: u64) -> Written {
        let is_complete = matches!(self.state, State::Done(_) | State::Failed(_));
        if is_complete && self.token == token {
            return Written::Yes;
        }
        if !self.is_held_by(token) {
            return Written::LeaseLost;
        }
        self.state = if succeeded { State::Done(result) } else { State::Failed(result) };
        self.keep_from(now);
        Written::Yes
    }

    /// It did not happen, says the owner: the next claim runs it. What is left is a tombstone, which
    /// keeps the count of attempts for ten minutes, and that of interruptions as long as a result.
    ///
    /// # Example: and the next one runs
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Claimed, Record, Written};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// assert_eq!(record.release(7, 0), Written::Yes);
    /// assert!(matches!(record.claim(&Claim::new(2), 0, 8), Claimed::Acquired(next) if next.attempt == 2));
    /// ```
    pub fn release(&mut self, token: u64, now: u64) -> Written {
        if self.state == State::Released && self.token == token {
            return Written::Yes;
        }
        if !self.is_held_by(token) {
            return Written::LeaseLost;
        }
        self.state = State::Released;
        if self.interruptions == 0 {
            self.expires_at = self.expires_at.min(after(now, TOMBSTONE));
        }
        Written::Yes
    }

    /// The run was cut off, and nobody knows how far it came. `ran` is false where it has not run at
    /// all, and only the earlier run's outcome could not be found out.
    ///
    /// # Example: not silently again
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Claimed, Record};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// record.interrupt(7, true);
    /// let next = record.claim(&Claim::new(2).max_interruptions(0), 0, 8);
    /// assert!(matches!(next, Claimed::Interrupted { attempts: 1, interruptions: 1 }));
    /// ```
    pub fn interrupt(&mut self, token: u64, ran: bool) -> Written {
        if self.state == State::Interrupted && self.token == token {
            return Written::Yes;
        }
        if !self.is_held_by(token) {
            return Written::LeaseLost;
        }
        self.state = State::Interrupted;
        self.interruptions = self.interruptions.saturating_add(ran.into());
        Written::Yes
    }

    /// Somebody knows what has come of an interrupted run. Whether it was one: it is not while its
    /// owner's lease lives. `token` is one that the store has not given out before, so that an owner
    /// who comes back is refused.
    ///
    /// # Example: it did not happen
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Record, Resolution, State};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// assert!(!record.resolve(&Resolution::DidNotHappen, 0, 8));
    /// record.interrupt(7, true);
    /// assert!(record.resolve(&Resolution::DidNotHappen, 0, 8));
    /// assert_eq!(record.state, State::Released);
    /// ```
    pub fn resolve(&mut self, resolution: &Resolution, now: u64, token: u64) -> bool {
        if self.is_expired(now) || !self.is_interrupted(now) {
            return false;
        }
        self.token = token.max(self.token.saturating_add(1));
        self.state = match resolution {
            Resolution::DidNotHappen => State::Released,
            Resolution::Done(stored) => State::Done(stored.clone()),
            Resolution::Failed(stored) => State::Failed(stored.clone()),
        };
        if *resolution == Resolution::DidNotHappen {
            // What the earlier runs did is known: it was nothing.
            self.interruptions = 0;
        }
        true
    }

    /// Whether a run was cut off, and nobody has found out how far it came.
    ///
    /// # Example: once the lease is dead
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Record};
    ///
    /// let (record, _) = Record::new(&Claim::new(1), 0, 7);
    /// assert!(!record.is_interrupted(record.lease_until - 1));
    /// assert!(record.is_interrupted(record.lease_until));
    /// ```
    pub fn is_interrupted(&self, now: u64) -> bool {
        match self.state {
            State::Interrupted => true,
            State::InProgress => self.lease_until <= now,
            State::Done(_) | State::Failed(_) | State::Released => false,
        }
    }

    /// How many of the runs were cut off, with the one whose lease is dead.
    ///
    /// # Example: the owner is gone
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Record};
    ///
    /// let (record, _) = Record::new(&Claim::new(1), 0, 7);
    /// assert_eq!(record.interruptions_at(record.lease_until), 1);
    /// ```
    pub fn interruptions_at(&self, now: u64) -> u32 {
        let unnoticed = self.state == State::InProgress && self.lease_until <= now;
        self.interruptions.saturating_add(unnoticed.into())
    }

    /// Whether it may be forgotten: its time is over, and nobody runs it.
    ///
    /// # Example: a run that takes long
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::idempotent::{Claim, Record};
    ///
    /// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
    /// let end = record.expires_at;
    /// assert!(record.is_expired(end));
    /// record.renew(7, Duration::from_secs(30), end);
    /// assert!(!record.is_expired(end));
    /// ```
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at <= now && !(self.state == State::InProgress && self.lease_until > now)
    }

    fn is_held_by(&self, token: u64) -> bool {
        self.state == State::InProgress && self.token == token
    }
}

fn after(now: u64, time: Duration) -> u64 {
    now.saturating_add(nanos(time))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

const TOMBSTONE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_takeover_whose_reply_was_lost_is_told_of_again() {
        let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
        let too_late = record.lease_until;
        for token in [8, 9] {
            let again = acquired(record.claim(&Claim::new(2), too_late, token));
            assert_eq!((again.token, again.interruptions, again.took_over), (8, 1, true));
        }
    }

    #[test]
    fn a_claim_that_is_sent_again_begins_its_lease_anew() {
        let claim = Claim::new(1);
        let (mut record, _) = Record::new(&claim, 0, 7);
        let sent_again = record.lease_until - 1;
        assert_eq!(acquired(record.claim(&claim, sent_again, 8)).token, 7);
        assert_eq!(record.lease_until, after(sent_again, claim.lease));
        // One that comes late takes nothing back.
        assert_eq!(acquired(record.claim(&claim, 0, 8)).token, 7);
        assert_eq!(record.lease_until, after(sent_again, claim.lease));
    }

    /// It has come after its call was over.
    #[test]
    fn a_late_claim_of_an_owner_that_has_ended_holds_nothing() {
        let claim = Claim::new(1);
        for state in [State::Released, State::Interrupted] {
            let (mut record, _) = Record::new(&claim, 0, 7);
            record.state = state;
            let before = record.clone();
            let late = record.claim(&claim, 1, 8);
            assert!(matches!(late, Claimed::InProgress { .. }), "{late:?}");
            assert_eq!(record, before);
            assert_eq!(acquired(record.claim(&Claim::new(2), 2, 8)).token, 8);
        }
    }

    #[test]
    fn a_run_that_takes_longer_than_its_retention_is_kept_after_it() {
        let hour = Duration::from_secs(3_600);
        let claim = Claim::new(1).ttl(hour).lease(hour / 2);
        let (mut record, _) = Record::new(&claim, 0, 7);
        assert_eq!(record.expires_at, nanos(hour));
        for quarter in 1..20 {
            assert_eq!(record.renew(7, claim.lease, nanos(hour / 4) * quarter), Written::Yes);
            assert!(record.expires_at >= record.lease_until + nanos(hour / 2));
        }
        let end = nanos(hour * 5);
        assert_eq!(record.complete(7, true, Stored::of(&1), end), Written::Yes);
        assert!(record.expires_at >= end + nanos(hour / 2));
    }

    fn acquired(claimed: Claimed) -> Acquired {
        match claimed {
            Claimed::Acquired(acquired) => acquired,
            other => panic!("{other:?}"),
        }
    }
}
