//! The same protocol with one rule broken, each as somebody else's has it: a model that does not object
//! to one of them says nothing.

use std::time::Duration;

use steadfast::idempotent::{Claim, Claimed, Record, State};

use super::{
    caller::Settlement,
    properties as must,
    rules::{Ours, Rules},
    store::{LEASE, Store, TTL_TICKS, nanos},
};

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutation {
    /// A body begins however late the claim's answer came.
    BeginsUnchecked,
    CompletesWithoutToken,
    /// What the store says of a completion is not read.
    CompletionUnread,
    EvictsInProgress,
    /// A record expires so long after its claim, whoever runs it.
    ExpiresInProgress,
    InterruptionsUncounted,
    LeaseOfZero,
    /// Who has the key and another fingerprint is told to wait, while somebody runs it.
    MismatchWaits,
    NeverFences,
    /// A claim that is sent again is another owner's.
    NewOwner,
    /// A claim that is sent again gets the lease of the first.
    RecoversOldLease,
    /// A claim that is sent again is not told that it has taken over.
    RecoversUntold,
    ReleasesAfterLostCompletion,
    ReleasesCutOff,
    RenewalUnread,
    ResolvesTheLiving,
    /// Reads that a lease is dead, and then writes, whatever has happened in between.
    TakesOverUncompared,
    TokensBeginAgain,
    WaiterDeletes,
}

/// Each with what it breaks, at least.
pub(super) const BATTERY: [(Mutation, &[&str]); 19] = [
    (Mutation::BeginsUnchecked, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::CompletesWithoutToken, &[must::ANSWERS_ARE_ONE]),
    (Mutation::CompletionUnread, &[must::ANSWERS_ARE_ONE]),
    (Mutation::EvictsInProgress, &[must::EFFECTS_ARE_FEW]),
    (Mutation::ExpiresInProgress, &[must::EFFECTS_ARE_FEW]),
    (Mutation::InterruptionsUncounted, &[must::EFFECTS_ARE_FEW]),
    (Mutation::LeaseOfZero, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::MismatchWaits, &[must::MISMATCH_IS_TOLD]),
    (Mutation::NeverFences, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::NewOwner, &[must::NOBODY_WAITS_FOR_ITSELF]),
    (Mutation::RecoversOldLease, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::RecoversUntold, &[must::TAKEOVER_IS_TOLD]),
    (Mutation::ReleasesAfterLostCompletion, &[must::EFFECT_IS_NOT_RELEASED]),
    (Mutation::ReleasesCutOff, &[must::EFFECT_IS_NOT_RELEASED]),
    (Mutation::RenewalUnread, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::ResolvesTheLiving, &[must::AWAKE_OWNER_IS_CURRENT]),
    (Mutation::TakesOverUncompared, &[must::COMPLETION_STAYS]),
    (
        Mutation::TokensBeginAgain,
        &[must::TOKENS_RISE, must::OWNER_IS_TAKEN, must::STALE_IS_REFUSED],
    ),
    (Mutation::WaiterDeletes, &[must::WAITER_CHANGES_NOTHING]),
];

impl Rules for Mutation {
    fn owner(&self, caller: u8, again: bool) -> u128 {
        let is_new = again && *self == Self::NewOwner;
        Ours.owner(caller, again) + if is_new { must::OWNERS } else { 0 }
    }

    fn sees_dead(&self, store: &Store, now: u64) -> bool {
        *self == Self::TakesOverUncompared && store.is_late(now)
    }

    fn claim(&self, store: &mut Store, claim: &Claim, saw_dead: bool, now: u64) -> Claimed {
        let before = store.record.clone();
        match (self, &before) {
            (Self::ExpiresInProgress, Some(record)) if record.expires_at <= nanos(now) => {
                store.record = None;
            }
            (Self::LeaseOfZero, _) => {
                return store.claim(&claim.clone().lease(Duration::ZERO), now);
            }
            (Self::MismatchWaits, Some(record)) if record.awaits_another(claim) => {
                return Claimed::InProgress { remaining: LEASE, changed: None };
            }
            (Self::TakesOverUncompared, _) if saw_dead => store.pretend_dead(now),
            _ => {}
        }
        let claimed = store.claim(claim, now);
        if let (Self::ExpiresInProgress, Some(record)) = (self, &mut store.record) {
            record.expires_at = record.expires_at.min(nanos(now + TTL_TICKS));
        }
        let (Some(before), Some(record)) = (&before, &mut store.record) else { return claimed };
        match (self, claimed) {
            (Self::InterruptionsUncounted, claimed) => {
                record.interruptions = before.interruptions;
                claimed
            }
            (Self::RecoversOldLease, claimed) if record.token == before.token => {
                record.lease_until = before.lease_until;
                claimed
            }
            (Self::RecoversUntold, Claimed::Acquired(mut acquired))
                if record.token == before.token =>
            {
                acquired.took_over = false;
                Claimed::Acquired(acquired)
            }
            (_, claimed) => claimed,
        }
    }

    fn renew(&self, store: &mut Store, token: u64, now: u64) -> bool {
        let expires_at = store.record.as_ref().map(|record| record.expires_at);
        let renewed = Ours.renew(store, token, now);
        if let (Self::ExpiresInProgress, Some(record)) = (self, &mut store.record) {
            record.expires_at = expires_at.unwrap_or(record.expires_at);
        }
        renewed
    }

    fn settle(&self, store: &mut Store, token: u64, settlement: Settlement, now: u64) -> bool {
        match (self, settlement) {
            (Self::CompletesWithoutToken, Settlement::Complete { .. }) => {
                let token = store.record.as_ref().map_or(token, |record| record.token);
                store.settle(token, settlement, now)
            }
            (Self::ReleasesCutOff, Settlement::Interrupt { ran: true }) => {
                store.settle(token, Settlement::Release, now)
            }
            _ => store.settle(token, settlement, now),
        }
    }

    fn purge(&self, store: &mut Store, now: u64) {
        let Some(record) = &store.record else { return };
        let runs = record.state == State::InProgress;
        match self {
            Self::EvictsInProgress if runs => store.record = None,
            Self::ExpiresInProgress if record.expires_at <= nanos(now) => store.record = None,
            _ => Ours.purge(store, now),
        }
        if *self == Self::TokensBeginAgain && store.record.is_none() {
            store.issued = 0;
        }
    }

    fn resolve(&self, store: &mut Store, run: Option<u8>, now: u64) -> bool {
        if *self == Self::ResolvesTheLiving {
            if let Some(record) = &mut store.record {
                record.lease_until = nanos(now);
            }
        }
        Ours.resolve(store, run, now)
    }

    fn is_fenced(&self, fence: u64, now: u64) -> bool {
        *self != Self::NeverFences && Ours.is_fenced(fence, now)
    }

    fn may_begin(&self, fence: u64, now: u64) -> bool {
        *self == Self::BeginsUnchecked || Ours.may_begin(fence, now)
    }

    fn is_renewed(&self, written: bool) -> bool {
        written || *self == Self::RenewalUnread
    }

    fn is_recorded(&self, written: bool) -> bool {
        written || *self == Self::CompletionUnread
    }

    fn insists(&self, settlement: Settlement) -> Settlement {
        match (self, settlement) {
            (Self::ReleasesAfterLostCompletion, Settlement::Complete { .. }) => Settlement::Release,
            _ => settlement,
        }
    }

    fn leave(&self, store: &mut Store) {
        if *self == Self::WaiterDeletes {
            store.record = None;
        }
    }
}

impl Store {
    /// So that the next claim takes over.
    fn pretend_dead(&mut self, now: u64) {
        if let Some(record) = &mut self.record {
            record.state = State::InProgress;
            record.lease_until = nanos(now);
        }
    }
}

trait Awaits {
    fn awaits_another(&self, claim: &Claim) -> bool;
}

impl Awaits for Record {
    fn awaits_another(&self, claim: &Claim) -> bool {
        self.state == State::InProgress && self.fingerprint.differs_from(claim.fingerprint)
    }
}
