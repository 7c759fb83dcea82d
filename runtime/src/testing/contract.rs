//! What every key store must do, tried on one.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Waker},
    time::Duration,
};

use tokio::task::JoinSet;

use crate::idempotent::{
    Acquired, Claim, Claimed, Fingerprint, Found, Key, Resolution, State, Store, Stored, Written,
};

/// The clock of a store under test.
///
/// # Example: of a server, which has its own
///
/// ```
/// use std::time::Duration;
/// use steadfast::testing::StoreClock;
///
/// struct Server;
///
/// impl StoreClock for Server {
///     fn unit(&self) -> Duration {
///         Duration::from_millis(50) // far more than an operation takes
///     }
///     async fn pass(&self, time: Duration) {
///         tokio::time::sleep(time).await;
///     }
/// }
/// ```
pub trait StoreClock: Sync {
    /// A time in which any operation has its answer. Leases are ten of it.
    fn unit(&self) -> Duration;

    /// Lets so much time pass on the store's clock.
    fn pass(&self, time: Duration) -> impl Future<Output = ()> + Send;
}

/// tokio's clock, paused: for a store that goes by it.
///
/// # Example: the memory store
///
/// ```
/// use steadfast::{idempotent::{MemoryStore, Store}, testing::{PausedClock, store_contract}};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// store_contract(&Store::new(MemoryStore::new()), &PausedClock).await;
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PausedClock;

impl StoreClock for PausedClock {
    fn unit(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn pass(&self, time: Duration) {
        // As a sleep, which tokio ends at once: `advance` needs a feature that users would have to have.
        tokio::time::sleep(time).await;
    }
}

/// Tries each, and says which it was that was broken.
macro_rules! laws {
    ($run:ident: $($law:ident)*) => {$({
        let law = Law(stringify!($law));
        $run.$law().await;
        drop(law);
    })*};
}

/// Tries all laws of [`KeyStore`](crate::idempotent::KeyStore) on a store: each branch of a claim in its
/// order, each guarded write with a token that is stale, leases and retention, tombstones, counts, the
/// operators' verbs, and claims that race.
///
/// The store should be empty at first, and nobody else's.
///
/// # Panics
///
/// At the first law that is broken, after saying on stderr which it is.
///
/// # Example: a store of one's own
///
/// ```
/// use steadfast::{idempotent::{MemoryStore, Store}, testing::{PausedClock, store_contract}};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let mine = MemoryStore::new();
/// store_contract(&Store::new(mine), &PausedClock).await;
/// # }
/// ```
pub async fn store_contract(store: &Store, clock: &impl StoreClock) {
    let run = Run { store, clock, unit: clock.unit() };
    laws!(run:
        a_first_claim_is_acquired
        keys_do_not_meet
        a_lost_reply_is_asked_for_again
        another_owner_is_told_to_wait
        a_mismatch_is_told_before_anything_else
        a_result_is_replayed_as_it_was
        a_completion_keeps_the_fingerprint
        a_completion_may_be_repeated_and_not_changed
        a_write_to_no_record_is_refused
        a_renewed_lease_lives_on
        a_late_owner_is_accepted_while_nobody_has_taken_over
        a_dead_lease_is_taken_over
        nothing_of_a_superseded_owner_is_accepted
        interruptions_are_counted_up_to_the_most
        an_interrupted_run_is_not_repeated_unasked
        a_released_key_is_run_again
        what_has_ended_cannot_be_ended_otherwise
        a_result_is_kept_as_long_as_it_should_be
        a_run_outlives_its_retention
        a_tombstone_keeps_the_interruptions
        tokens_rise_over_expiry_and_purge
        looking_changes_nothing
        interrupted_keys_are_listed_in_pages
        an_interrupted_key_can_be_resolved
        nothing_else_can_be_resolved
        records_are_counted
        one_of_many_claims_is_acquired
        one_of_many_takes_over
        a_waiter_is_told_of_a_change
        a_dropped_claim_has_happened_or_not
    );
}

struct Law(&'static str);

impl Drop for Law {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store breaks the law: {}", self.0.replace('_', " "));
        }
    }
}

struct Run<'a, C> {
    store: &'a Store,
    clock: &'a C,
    unit: Duration,
}

static OWNERS: AtomicU64 = AtomicU64::new(1);

fn json(text: &str) -> Stored {
    Stored::Json(text.as_bytes().into())
}

fn print(of: u64) -> Fingerprint {
    Fingerprint::new(&of).expect("a number")
}

/// A key that no other run of the suite has.
fn new_key(name: &str) -> Key {
    let nonce = (crate::random::entropy(), OWNERS.fetch_add(1, Ordering::Relaxed));
    Key::new("steadfast::contract", &(name, nonce)).expect("it serialises")
}

impl<C: StoreClock> Run<'_, C> {
    /// By another owner each time.
    fn a_claim(&self) -> Claim {
        let owner = u128::from(crate::random::entropy()) << 64
            | u128::from(OWNERS.fetch_add(1, Ordering::Relaxed));
        Claim::new(owner).lease(self.unit * 10).ttl(self.unit * 100)
    }

    async fn units(&self, count: u32) {
        self.clock.pass(self.unit * count).await;
    }

    async fn claim(&self, key: &Key, claim: &Claim) -> Claimed {
        self.store.claim(key, claim).await.expect("the store answers")
    }

    async fn acquire(&self, key: &Key, claim: &Claim) -> Acquired {
        match self.claim(key, claim).await {
            Claimed::Acquired(acquired) => acquired,
            other => panic!("{key} should be acquired, not {other:?}"),
        }
    }

    async fn begin(&self, key: &Key) -> u64 {
        self.acquire(key, &self.a_claim()).await.token
    }

    async fn complete(&self, key: &Key, token: u64, text: &str) -> Written {
        self.store.complete(key, token, true, json(text)).await.expect("the store answers")
    }

    async fn release(&self, key: &Key, token: u64) -> Written {
        self.store.release(key, token).await.expect("the store answers")
    }

    async fn interrupt(&self, key: &Key, token: u64, ran: bool) -> Written {
        self.store.interrupt(key, token, ran).await.expect("the store answers")
    }

    async fn renew(&self, key: &Key, token: u64) -> Written {
        self.store.renew(key, token, self.unit * 10).await.expect("the store answers")
    }

    async fn look(&self, key: &Key) -> Option<Found> {
        self.store.look(key).await.expect("the store answers")
    }

    async fn state(&self, key: &Key) -> Option<State> {
        self.look(key).await.map(|found| found.record.state)
    }

    async fn a_first_claim_is_acquired(&self) {
        let (key, claim) = (new_key("first"), self.a_claim().fingerprint(print(1)));
        assert_eq!(self.look(&key).await, None);
        let acquired = self.acquire(&key, &claim).await;
        let Acquired { token, .. } = acquired;
        assert!(token > 0, "0 is what stands for no token");
        assert_eq!(acquired, Acquired { token, attempt: 1, interruptions: 0, took_over: false });
        let Found { record, now, .. } = self.look(&key).await.expect("it is there");
        assert_eq!(record.state, State::InProgress);
        assert_eq!((record.token, record.owner), (token, claim.owner));
        assert_eq!((record.attempts, record.interruptions), (1, 0));
        assert_eq!(record.fingerprint, print(1));
        assert!(now < record.lease_until && record.lease_until < record.expires_at);
    }

    async fn keys_do_not_meet(&self) {
        let nonce = crate::random::entropy();
        let scope = "steadfast::contract";
        let keys = [
            Key::new(scope, &(nonce, "a-b", "c")),
            Key::new(scope, &(nonce, "a", "b-c")),
            Key::new("steadfast::contract::other", &(nonce, "a", "b-c")),
            Key::of_tenant(scope, Some("a"), &(nonce, "a", "b-c")),
            Key::of_tenant(scope, Some("b"), &(nonce, "a", "b-c")),
            Key::new(scope, &(nonce, "a".repeat(1_000))),
            Key::new(scope, &(nonce, "a".repeat(1_001))),
        ];
        for key in keys {
            self.begin(&key.expect("it serialises")).await;
        }
    }

    async fn a_lost_reply_is_asked_for_again(&self) {
        let (key, claim) = (new_key("lost reply"), self.a_claim());
        let first = self.acquire(&key, &claim).await;
        assert_eq!(self.acquire(&key, &claim).await, first);
        // The owner counts its lease from the claim that was answered.
        self.units(8).await;
        assert_eq!(self.acquire(&key, &claim).await, first);
        self.units(8).await;
        let other = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");
        // Nobody has taken over, so it is still the owner's.
        self.units(11).await;
        assert_eq!(self.acquire(&key, &claim).await.token, first.token);
    }

    async fn another_owner_is_told_to_wait(&self) {
        let key = new_key("wait");
        let token = self.begin(&key).await;
        self.units(3).await;
        match self.claim(&key, &self.a_claim()).await {
            Claimed::InProgress { remaining, .. } => {
                assert!(remaining > Duration::ZERO, "a lease that lives has time left");
                assert!(remaining <= self.unit * 7, "{remaining:?} of {:?}", self.unit * 10);
            }
            other => panic!("it runs, and is not {other:?}"),
        }
        assert_eq!(self.look(&key).await.expect("it is there").record.token, token);
    }

    async fn a_mismatch_is_told_before_anything_else(&self) {
        let key = new_key("mismatch");
        let first = self.a_claim().fingerprint(print(1));
        let other = || self.a_claim().fingerprint(print(2));
        let token = self.acquire(&key, &first).await.token;
        let mismatches = async |when| {
            let claimed = self.claim(&key, &other()).await;
            assert!(matches!(claimed, Claimed::Mismatch), "{when}: {claimed:?}");
        };
        mismatches("in progress").await;
        self.units(11).await;
        mismatches("with a dead lease").await;
        assert_eq!(self.interrupt(&key, token, true).await, Written::Yes);
        mismatches("interrupted").await;
        let token = self.acquire(&key, &self.a_claim().fingerprint(print(1))).await.token;
        assert_eq!(self.complete(&key, token, "1").await, Written::Yes);
        mismatches("done").await;
        // One that says nothing of what it is for is no other.
        let silent = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(silent, Claimed::Done(_)), "{silent:?}");
    }

    async fn a_result_is_replayed_as_it_was(&self) {
        let long = format!("\"{}\"", "x".repeat(250_000));
        let all = [
            json("null"),
            json(""),
            json("{\"a\":\"\\u0000\u{fffd}\"}"),
            json(&long),
            Stored::TooLarge { size: 1 << 40 },
            Stored::Unserializable,
        ];
        for result in all {
            for succeeded in [true, false] {
                let key = new_key("replay");
                let token = self.begin(&key).await;
                let written = self.store.complete(&key, token, succeeded, result.clone()).await;
                assert_eq!(written.expect("the store answers"), Written::Yes);
                match self.claim(&key, &self.a_claim()).await {
                    Claimed::Done(found) if succeeded => assert_eq!(found, result),
                    Claimed::Failed(found) if !succeeded => assert_eq!(found, result),
                    other => panic!("{result:?} is replayed, and not {other:?}"),
                }
            }
        }
    }

    async fn a_completion_keeps_the_fingerprint(&self) {
        let (key, claim) = (new_key("fingerprint"), self.a_claim().fingerprint(print(1)));
        let token = self.acquire(&key, &claim).await.token;
        self.complete(&key, token, "1").await.expect_written();
        assert_eq!(self.look(&key).await.expect("it is there").record.fingerprint, print(1));
    }

    async fn a_completion_may_be_repeated_and_not_changed(&self) {
        let key = new_key("completed twice");
        let token = self.begin(&key).await;
        assert_eq!(self.complete(&key, token + 1, "2").await, Written::LeaseLost);
        assert_eq!(self.complete(&key, token, "1").await, Written::Yes);
        assert_eq!(self.complete(&key, token, "3").await, Written::Yes);
        assert_eq!(self.complete(&key, token + 1, "2").await, Written::LeaseLost);
        assert_eq!(self.state(&key).await, Some(State::Done(json("1"))));
    }

    async fn a_write_to_no_record_is_refused(&self) {
        let key = new_key("no record");
        assert_eq!(self.renew(&key, 1).await, Written::LeaseLost);
        assert_eq!(self.complete(&key, 1, "1").await, Written::LeaseLost);
        assert_eq!(self.release(&key, 1).await, Written::LeaseLost);
        assert_eq!(self.interrupt(&key, 1, true).await, Written::LeaseLost);
        assert_eq!(self.look(&key).await, None);
    }

    async fn a_renewed_lease_lives_on(&self) {
        let key = new_key("renewed");
        let token = self.begin(&key).await;
        for _ in 0..3 {
            self.units(8).await;
            assert_eq!(self.renew(&key, token).await, Written::Yes);
            assert_eq!(self.renew(&key, token + 1).await, Written::LeaseLost);
        }
        self.units(8).await;
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
    }

    async fn a_late_owner_is_accepted_while_nobody_has_taken_over(&self) {
        let key = new_key("late");
        let token = self.begin(&key).await;
        self.units(11).await;
        assert_eq!(self.renew(&key, token).await, Written::Yes);
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
        self.units(11).await;
        assert_eq!(self.complete(&key, token, "late").await, Written::Yes);
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::Done(_)), "{claimed:?}");
    }

    async fn a_dead_lease_is_taken_over(&self) {
        let key = new_key("taken over");
        let first = self.begin(&key).await;
        self.units(9).await;
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
        self.units(2).await;
        let takeover = self.a_claim();
        let Acquired { token, attempt, interruptions, took_over } =
            self.acquire(&key, &takeover).await;
        assert!(token > first, "{token} after {first}");
        assert_eq!((attempt, interruptions, took_over), (2, 1, true));
        // Also where the reply to that was lost.
        let again = self.acquire(&key, &takeover).await;
        assert_eq!(again, Acquired { token, attempt, interruptions, took_over });
        // With a lease of its own.
        self.units(9).await;
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
    }

    async fn nothing_of_a_superseded_owner_is_accepted(&self) {
        let key = new_key("superseded");
        let late = self.begin(&key).await;
        self.units(11).await;
        let token = self.begin(&key).await;
        let before = self.look(&key).await.expect("it is there").record;
        assert_eq!(self.renew(&key, late).await, Written::LeaseLost);
        assert_eq!(self.complete(&key, late, "late").await, Written::LeaseLost);
        assert_eq!(self.release(&key, late).await, Written::LeaseLost);
        assert_eq!(self.interrupt(&key, late, true).await, Written::LeaseLost);
        assert_eq!(self.look(&key).await.expect("it is there").record, before);
        assert_eq!(self.complete(&key, token, "1").await, Written::Yes);
        assert_eq!(self.complete(&key, late, "late").await, Written::LeaseLost);
        assert_eq!(self.release(&key, late).await, Written::LeaseLost);
        assert_eq!(self.state(&key).await, Some(State::Done(json("1"))));
    }

    async fn interruptions_are_counted_up_to_the_most(&self) {
        let key = new_key("too often");
        let claim = || self.a_claim().max_interruptions(2);
        let token = self.acquire(&key, &claim()).await.token;
        assert_eq!(self.interrupt(&key, token, true).await, Written::Yes);
        assert_eq!(self.interrupt(&key, token, true).await, Written::Yes, "once more");
        let second = self.acquire(&key, &claim()).await;
        assert_eq!((second.attempt, second.interruptions, second.took_over), (2, 1, true));
        // Who only asked what had come of the first has cut nothing off.
        assert_eq!(self.interrupt(&key, second.token, false).await, Written::Yes);
        let third = self.acquire(&key, &claim()).await;
        assert_eq!((third.attempt, third.interruptions), (3, 1));
        self.units(11).await;
        for _ in 0..2 {
            let claimed = self.claim(&key, &claim()).await;
            let Claimed::Interrupted { attempts, interruptions } = claimed else {
                panic!("it was cut off twice, and is {claimed:?}")
            };
            assert_eq!((attempts, interruptions), (3, 2));
        }
    }

    async fn an_interrupted_run_is_not_repeated_unasked(&self) {
        for is_told in [true, false] {
            let key = new_key("at most once");
            let token = self.begin(&key).await;
            if is_told {
                self.interrupt(&key, token, true).await.expect_written();
            } else {
                self.units(11).await;
            }
            let claimed = self.claim(&key, &self.a_claim().max_interruptions(0)).await;
            let Claimed::Interrupted { attempts: 1, interruptions: 1 } = claimed else {
                panic!("it was cut off, and is {claimed:?}")
            };
        }
    }

    async fn a_released_key_is_run_again(&self) {
        let key = new_key("released");
        let first_claim = self.a_claim().fingerprint(print(1));
        let first = self.acquire(&key, &first_claim).await.token;
        assert_eq!(self.release(&key, first + 1).await, Written::LeaseLost);
        assert_eq!(self.release(&key, first).await, Written::Yes);
        assert_eq!(self.release(&key, first).await, Written::Yes, "once more");
        assert_eq!(self.state(&key).await, Some(State::Released));
        // A claim that comes after its call was over holds nothing.
        let late = self.claim(&key, &first_claim).await;
        assert!(matches!(late, Claimed::InProgress { .. }), "{late:?}");
        // What did not happen may be asked for in another way.
        let Acquired { token, attempt, interruptions, took_over } =
            self.acquire(&key, &self.a_claim().fingerprint(print(2)).max_interruptions(0)).await;
        assert!(token > first, "{token} after {first}");
        assert_eq!((attempt, interruptions, took_over), (2, 0, false));
        assert_eq!(self.look(&key).await.expect("it is there").record.fingerprint, print(2));
    }

    async fn what_has_ended_cannot_be_ended_otherwise(&self) {
        let key = new_key("done");
        let token = self.begin(&key).await;
        self.complete(&key, token, "1").await.expect_written();
        assert_eq!(self.release(&key, token).await, Written::LeaseLost);
        assert_eq!(self.interrupt(&key, token, true).await, Written::LeaseLost);
        assert_eq!(self.renew(&key, token).await, Written::LeaseLost);
        assert_eq!(self.state(&key).await, Some(State::Done(json("1"))));
        let key = new_key("let go");
        let token = self.begin(&key).await;
        self.release(&key, token).await.expect_written();
        assert_eq!(self.complete(&key, token, "1").await, Written::LeaseLost);
        assert_eq!(self.renew(&key, token).await, Written::LeaseLost);
        let key = new_key("cut off");
        let token = self.begin(&key).await;
        self.interrupt(&key, token, true).await.expect_written();
        assert_eq!(self.complete(&key, token, "1").await, Written::LeaseLost);
        assert_eq!(self.renew(&key, token).await, Written::LeaseLost);
    }

    async fn a_result_is_kept_as_long_as_it_should_be(&self) {
        let key = new_key("kept");
        let token = self.begin(&key).await;
        self.complete(&key, token, "1").await.expect_written();
        self.units(95).await;
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::Done(_)), "{claimed:?}");
        self.units(6).await;
        assert_eq!(self.look(&key).await, None);
        let again = self.acquire(&key, &self.a_claim()).await;
        assert_eq!((again.attempt, again.took_over), (1, false));
    }

    async fn a_run_outlives_its_retention(&self) {
        let (key, claim) = (new_key("long run"), self.a_claim().ttl(self.unit * 12));
        let token = self.acquire(&key, &claim).await.token;
        for _ in 0..3 {
            self.units(8).await;
            assert_eq!(self.renew(&key, token).await, Written::Yes);
            self.store.purge().await.expect("the store answers");
        }
        let claimed = self.claim(&key, &self.a_claim()).await;
        assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
        // What came of it is not forgotten with its lease.
        self.units(11).await;
        let claimed = self.claim(&key, &self.a_claim().max_interruptions(0)).await;
        assert!(matches!(claimed, Claimed::Interrupted { .. }), "{claimed:?}");
        self.units(12).await;
        let again = self.acquire(&key, &self.a_claim().max_interruptions(0)).await;
        assert!(again.token > token);
        assert_eq!((again.attempt, again.interruptions, again.took_over), (1, 0, false));
    }

    async fn a_tombstone_keeps_the_interruptions(&self) {
        let key = new_key("tombstone");
        let token = self.begin(&key).await;
        self.interrupt(&key, token, true).await.expect_written();
        let token = self.begin(&key).await;
        self.release(&key, token).await.expect_written();
        self.units(50).await;
        let third = self.acquire(&key, &self.a_claim()).await;
        assert_eq!((third.attempt, third.interruptions, third.took_over), (3, 1, false));
    }

    async fn tokens_rise_over_expiry_and_purge(&self) {
        let key = new_key("tokens");
        let claim = || self.a_claim().lease(self.unit).ttl(self.unit * 3);
        let mut last = 0;
        for purge in [true, false, true, false] {
            let token = self.acquire(&key, &claim()).await.token;
            assert!(token > last, "{token} after {last}");
            last = token;
            self.units(5).await;
            if purge {
                self.store.purge().await.expect("the store answers");
            }
        }
    }

    async fn looking_changes_nothing(&self) {
        let key = new_key("looked at");
        self.begin(&key).await;
        let record = self.look(&key).await.expect("it is there").record;
        self.units(11).await;
        let found = self.look(&key).await.expect("it is there");
        assert_eq!(found.record, record);
        assert!(found.is_interrupted(), "its lease is dead");
        assert_eq!(found.key, key);
    }

    async fn interrupted_keys_are_listed_in_pages(&self) {
        let mut wanted = Vec::new();
        for at in 0..5 {
            let key = new_key("listed");
            let token = self.begin(&key).await;
            if at < 3 {
                self.interrupt(&key, token, true).await.expect_written();
            }
            wanted.push(key);
        }
        let done = new_key("not listed");
        let token = self.begin(&done).await;
        self.complete(&done, token, "1").await.expect_written();
        self.units(11).await;
        let alive = new_key("not listed");
        self.begin(&alive).await;
        let mut listed: Vec<Found> = Vec::new();
        loop {
            let after = listed.last().map(|found| &found.key);
            let page = self.store.interrupted(after, 2).await.expect("the store answers");
            assert!(page.len() <= 2);
            assert!(page.iter().all(|new| listed.iter().all(|old| old.key != new.key)), "twice");
            if page.is_empty() {
                break;
            }
            listed.extend(page);
        }
        let is_listed = |key: &Key| listed.iter().any(|found| found.key == *key);
        assert!(wanted.iter().all(is_listed), "{listed:?}");
        assert!(!is_listed(&done) && !is_listed(&alive), "{listed:?}");
        assert!(listed.iter().all(Found::is_interrupted));
    }

    async fn an_interrupted_key_can_be_resolved(&self) {
        let resolutions = [
            (Resolution::DidNotHappen, State::Released),
            (Resolution::Done(json("1")), State::Done(json("1"))),
            (Resolution::Failed(json("2")), State::Failed(json("2"))),
        ];
        for (resolution, state) in resolutions {
            for is_told in [true, false] {
                let key = new_key("resolved");
                let token = self.begin(&key).await;
                if is_told {
                    self.interrupt(&key, token, true).await.expect_written();
                } else {
                    self.units(11).await;
                }
                assert!(self.resolve(&key, &resolution).await, "{resolution:?}");
                assert_eq!(self.state(&key).await, Some(state.clone()));
                // An owner who comes back is refused.
                assert_eq!(self.complete(&key, token, "late").await, Written::LeaseLost);
                assert_eq!(self.release(&key, token).await, Written::LeaseLost);
                assert!(!self.resolve(&key, &resolution).await, "it is no longer interrupted");
                if resolution == Resolution::DidNotHappen {
                    let next = self.acquire(&key, &self.a_claim().max_interruptions(0)).await;
                    assert!(next.token > token);
                    assert_eq!((next.attempt, next.took_over), (2, false));
                }
            }
        }
    }

    async fn resolve(&self, key: &Key, resolution: &Resolution) -> bool {
        self.store.resolve(key, resolution).await.expect("the store answers")
    }

    async fn nothing_else_can_be_resolved(&self) {
        let key = new_key("not resolved");
        assert!(!self.resolve(&key, &Resolution::DidNotHappen).await, "there is none");
        let token = self.begin(&key).await;
        assert!(!self.resolve(&key, &Resolution::DidNotHappen).await, "it runs");
        assert_eq!(self.complete(&key, token, "1").await, Written::Yes);
        assert!(!self.resolve(&key, &Resolution::DidNotHappen).await, "it is done");
        assert_eq!(self.state(&key).await, Some(State::Done(json("1"))));
    }

    async fn records_are_counted(&self) {
        let before = self.store.count().await.expect("the store answers");
        for at in 0..5 {
            let key = new_key("counted");
            let token = self.begin(&key).await;
            match at {
                0 => self.complete(&key, token, "1").await.expect_written(),
                1 => {
                    let failed = self.store.complete(&key, token, false, json("1")).await;
                    failed.expect("the store answers").expect_written();
                }
                2 => self.release(&key, token).await.expect_written(),
                3 => self.interrupt(&key, token, true).await.expect_written(),
                _ => {}
            }
        }
        let counts = self.store.count().await.expect("the store answers");
        assert_eq!(counts.all() - before.all(), 5, "{counts:?} after {before:?}");
        assert_eq!(counts.done - before.done, 1);
        assert_eq!(counts.failed - before.failed, 1);
        assert_eq!(counts.released - before.released, 1);
        assert_eq!(counts.interrupted - before.interrupted, 1);
        assert_eq!(counts.in_progress - before.in_progress, 1);
        // What has expired is neither counted nor listed.
        self.units(200).await;
        let counts = self.store.count().await.expect("the store answers");
        assert_eq!(counts.all(), 0, "all of it has expired, unless somebody else uses the store");
        let listed = self.store.interrupted(None, 10).await.expect("the store answers");
        assert!(listed.is_empty(), "{listed:?}");
    }

    async fn one_of_many_claims_is_acquired(&self) {
        let keys: Vec<_> = (0..25).map(|_| new_key("race")).collect();
        let acquired = self.race(&keys, 40).await;
        assert_eq!(acquired, keys.len(), "of {} claims of {} keys", 40 * keys.len(), keys.len());
    }

    async fn one_of_many_takes_over(&self) {
        let keys: Vec<_> = (0..10).map(|_| new_key("race to take over")).collect();
        for key in &keys {
            self.begin(key).await;
        }
        self.units(11).await;
        assert_eq!(self.race(&keys, 40).await, keys.len());
    }

    /// How many of the claims were acquired, of so many for each key.
    async fn race(&self, keys: &[Key], claims: usize) -> usize {
        let mut tasks = JoinSet::new();
        for _ in 0..claims {
            for key in keys {
                // Long, so that a slow machine is not taken for a dead owner.
                let (key, claim) = (key.clone(), self.a_claim().lease(self.unit * 90));
                let store = self.store.clone();
                tasks.spawn(async move { store.claim(&key, &claim).await });
            }
        }
        let mut acquired = 0;
        while let Some(claimed) = tasks.join_next().await {
            match claimed.expect("no panic").expect("the store answers") {
                Claimed::Acquired(_) => acquired += 1,
                Claimed::InProgress { .. } => {}
                other => panic!("somebody runs it, and it is not {other:?}"),
            }
        }
        acquired
    }

    async fn a_waiter_is_told_of_a_change(&self) {
        for end in 0..3 {
            let key = new_key("watched");
            let token = self.begin(&key).await;
            let claimed = self.claim(&key, &self.a_claim()).await;
            let Claimed::InProgress { changed, .. } = claimed else { panic!("not {claimed:?}") };
            // Not every store can tell.
            let Some(changed) = changed else { return };
            match end {
                0 => self.complete(&key, token, "1").await,
                1 => self.release(&key, token).await,
                _ => self.interrupt(&key, token, true).await,
            }
            .expect_written();
            let told = tokio::time::timeout(self.unit * 5, changed).await;
            told.expect("a waiter is told when the owner has ended");
        }
    }

    async fn a_dropped_claim_has_happened_or_not(&self) {
        for _ in 0..20 {
            let (key, claim) = (new_key("dropped"), self.a_claim());
            {
                let mut reply = pin!(self.store.claim(&key, &claim));
                let _ = reply.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            let first = self.acquire(&key, &claim).await;
            let second = self.claim(&key, &self.a_claim()).await;
            assert!(matches!(second, Claimed::InProgress { .. }), "{second:?}");
            assert_eq!(first.attempt, 1);
        }
    }
}

impl Written {
    fn expect_written(self) {
        assert_eq!(self, Self::Yes, "the owner has not been superseded");
    }
}
