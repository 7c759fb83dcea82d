//! The rules that a mutation may break; as they stand here, they are ours.

use steadfast::idempotent::{Claim, Claimed};

use super::{caller::Settlement, store::Store};

/// What the store and the callers do where one might do otherwise.
pub(super) trait Rules: Send + Sync + 'static {
    /// Who claims: the same, when it is sent again.
    fn owner(&self, caller: u8, _again: bool) -> u128 {
        u128::from(caller)
    }

    /// Whether a claim is sent as one that has seen a dead lease.
    fn sees_dead(&self, _store: &Store, _now: u64) -> bool {
        false
    }

    fn claim(&self, store: &mut Store, claim: &Claim, _saw_dead: bool, now: u64) -> Claimed {
        store.claim(claim, now)
    }

    fn renew(&self, store: &mut Store, token: u64, now: u64) -> bool {
        store.renew(token, now)
    }

    fn settle(&self, store: &mut Store, token: u64, settlement: Settlement, now: u64) -> bool {
        store.settle(token, settlement, now)
    }

    /// What expired is forgotten; the counter of tokens is not.
    fn purge(&self, store: &mut Store, now: u64) {
        if store.is_expired(now) {
            store.record = None;
        }
    }

    /// An operator's word is taken of what is interrupted.
    fn resolve(&self, store: &mut Store, run: Option<u8>, now: u64) -> bool {
        store.resolve(run, now)
    }

    /// Whether an owner may not go on.
    fn is_fenced(&self, fence: u64, now: u64) -> bool {
        now >= fence
    }

    /// Whether a body may begin.
    fn may_begin(&self, fence: u64, now: u64) -> bool {
        now < fence
    }

    /// Whether the lease was renewed, by what the store says.
    fn is_renewed(&self, written: bool) -> bool {
        written
    }

    /// Whether the result was recorded, by what the store says.
    fn is_recorded(&self, written: bool) -> bool {
        written
    }

    /// What is written once a settlement's answer was lost.
    fn insists(&self, settlement: Settlement) -> Settlement {
        settlement
    }

    /// A duplicate does not wait any longer.
    fn leave(&self, _store: &mut Store) {}
}

/// The rules as they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ours;

impl Rules for Ours {}
