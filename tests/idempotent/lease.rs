//! Leases: renewed, lost, taken over.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use steadfast::idempotent::{
    Claim, Claimed, Fingerprint, Key, Resolution, State, Stored, Written, current,
};
use tokio::{
    sync::Notify,
    time::{Instant, advance, sleep},
};

use super::{
    Failure, MILLI, SECOND, Store,
    faulty::{Faulty, Trouble},
    in_memory, observed, refused,
};

#[tokio::test(start_paused = true)]
async fn is_renewed_as_long_as_the_run_takes() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, lease = "3s", wait = "1ms")]
    async fn slow(id: u64, keys: &Store) -> Result<u32, Failure> {
        sleep(60 * SECOND).await;
        Ok(current().attempt())
    }
    let first = tokio::spawn({
        let keys = keys.clone();
        async move { slow(7, &keys).await }
    });
    for _ in 0..50 {
        sleep(SECOND).await;
        assert_eq!(slow(7, &keys).await, refused("InProgress"));
    }
    assert_eq!(first.await.expect("no panic"), Ok(1));
    let renewals = faulty.asked().iter().filter(|operation| **operation == "renew").count();
    assert!((58..=60).contains(&renewals), "one each second: {renewals}");
}

/// The body may not run when somebody else could.
#[tokio::test(start_paused = true)]
async fn a_body_whose_lease_cannot_be_renewed_is_dropped_before_its_end() {
    struct Flag(Arc<AtomicBool>);
    impl Drop for Flag {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, lease = "30s", on_interrupted = "fail")]
    async fn unrenewed(id: u64, keys: &Store, dropped: &Arc<AtomicBool>) -> Result<u64, Failure> {
        let _flag = Flag(Arc::clone(dropped));
        pending().await
    }
    let events = observed("::unrenewed");
    let dropped = Arc::new(AtomicBool::new(false));
    faulty.plan("renew", Trouble::Down, usize::from(u16::MAX));
    let start = Instant::now();
    let (outcome, ()) = tokio::join!(unrenewed(7, &keys, &dropped), async {
        sleep(28_999 * MILLI).await;
        assert!(!dropped.load(Ordering::Relaxed), "it has time");
        sleep(2 * MILLI).await;
        assert!(dropped.load(Ordering::Relaxed), "somebody else may run it in a second");
    });
    assert_eq!(outcome, refused("LeaseLost"));
    assert!(start.elapsed() < 30 * SECOND, "{:?}", start.elapsed());
    assert_eq!(unrenewed(7, &keys, &dropped).await, refused("Interrupted"));
    let events: Vec<_> = events.try_iter().filter(|event| event != "failed renew").collect();
    assert_eq!(events, ["interrupted lease_lost", "refused interrupted"]);
}

#[tokio::test(start_paused = true)]
async fn one_failure_to_renew_is_made_good() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, lease = "30s")]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        sleep(100 * SECOND).await;
        Ok(id)
    }
    faulty.plan("renew", Trouble::Down, 2);
    faulty.plan("renew", Trouble::LostReply, 1);
    assert_eq!(charge(7, &keys).await, Ok(7));
}

/// A process that is stopped for longer than its lease, and goes on.
#[tokio::test(start_paused = true)]
async fn an_owner_that_comes_back_too_late_does_nothing() {
    in_memory!(STORE);
    static EFFECTS: AtomicU32 = AtomicU32::new(0);
    #[steadfast::idempotent(key = id, store = STORE, lease = "30s")]
    async fn charge(id: u64, go: &Notify) -> Result<u64, Failure> {
        go.notified().await;
        EFFECTS.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }
    let go = Arc::new(Notify::new());
    let first = tokio::spawn({
        let go = Arc::clone(&go);
        async move { charge(7, &go).await }
    });
    sleep(MILLI).await;
    // The body could go on, and nobody polls it until it is too late.
    go.notify_one();
    advance(31 * SECOND).await;
    assert_eq!(first.await.expect("no panic"), refused("LeaseLost"));
    assert_eq!(EFFECTS.load(Ordering::Relaxed), 0);
}

/// A process that is stopped after its body has ended: it has waited for the store no longer than it ran.
#[tokio::test(start_paused = true)]
async fn an_owner_that_was_stopped_while_it_wrote_returns_the_winners_result() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, scope = "stopped")]
    async fn charge(id: u64, keys: &Store) -> Result<String, Failure> {
        Ok(format!("the late one's, with {}", current().fence()))
    }
    faulty.plan("complete", Trouble::Slow(MILLI), 1);
    let late = tokio::spawn({
        let keys = keys.clone();
        async move { charge(7, &keys).await }
    });
    while !faulty.asked().contains(&"complete") {
        tokio::task::yield_now().await;
    }
    // What another process does in the meantime.
    let key = Key::new("stopped", &7_u64).expect("a number");
    let found = keys.look(&key).await.expect("answers").expect("it runs");
    let interrupted = keys.interrupt(&key, found.record.token, true).await;
    assert_eq!(interrupted.expect("answers"), Written::Yes);
    let Ok(Claimed::Acquired(acquired)) = keys.claim(&key, &Claim::new(1)).await else {
        panic!("it was interrupted")
    };
    let result = Stored::of(&"the winner's");
    let complete = keys.complete(&key, acquired.token, true, result).await;
    assert_eq!(complete.expect("answers"), Written::Yes);
    advance(31 * SECOND).await;
    assert_eq!(late.await.expect("no panic"), Ok("the winner's".to_owned()));
}

/// All callers see one answer, that of the run which was recorded.
#[tokio::test(start_paused = true)]
async fn a_superseded_owner_returns_the_winners_result() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "superseded")]
    async fn superseded(id: u64, winner: &Claim) -> Result<String, Failure> {
        let key = Key::new("superseded", &id).expect("a number");
        // What another process does while this one is stopped.
        let interrupted = STORE.interrupt(&key, current().fence(), true).await;
        assert_eq!(interrupted.expect("answers"), Written::Yes);
        let Ok(Claimed::Acquired(acquired)) = STORE.claim(&key, winner).await else {
            panic!("it was interrupted")
        };
        let result = Stored::of(&"the winner's");
        let complete = STORE.complete(&key, acquired.token, true, result).await;
        assert_eq!(complete.expect("answers"), Written::Yes);
        Ok("the late one's".to_owned())
    }
    let events = observed("::superseded");
    assert_eq!(superseded(7, &Claim::new(1)).await, Ok("the winner's".to_owned()));
    assert_eq!(superseded(7, &Claim::new(2)).await, Ok("the winner's".to_owned()));
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["lease lost", "replayed"]);
}

#[tokio::test(start_paused = true)]
async fn or_none_if_the_winner_has_none() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "none")]
    async fn superseded(id: u64, winner: &Claim) -> Result<String, Failure> {
        let key = Key::new("none", &id).expect("a number");
        let interrupted = STORE.interrupt(&key, current().fence(), true).await;
        assert_eq!(interrupted.expect("answers"), Written::Yes);
        let claimed = STORE.claim(&key, winner).await;
        assert!(matches!(claimed, Ok(Claimed::Acquired(_))));
        Ok("the late one's".to_owned())
    }
    let start = Instant::now();
    assert_eq!(superseded(7, &Claim::new(1)).await, refused("LeaseLost"));
    assert!(start.elapsed() <= 3 * SECOND, "{:?}", start.elapsed());
}

/// The renewal is due by the claim, and not by its answer.
#[tokio::test(start_paused = true)]
async fn a_claim_that_was_answered_late_is_renewed_in_time() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, lease = "30s")]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        sleep(12 * SECOND).await;
        Ok(id)
    }
    faulty.plan("claim", Trouble::LateReply(20 * SECOND), 1);
    assert_eq!(charge(7, &keys).await, Ok(7));
}

/// What the store says of a renewal is heard.
#[tokio::test(start_paused = true)]
async fn a_body_whose_key_was_taken_over_is_dropped_at_the_next_renewal() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "taken", lease = "30s")]
    async fn charge(id: u64) -> Result<u64, Failure> {
        pending().await
    }
    let start = Instant::now();
    let (outcome, ()) = tokio::join!(charge(7), async {
        sleep(SECOND).await;
        let key = Key::new("taken", &7).expect("a number");
        let token = STORE.look(&key).await.expect("answers").expect("it runs").record.token;
        let interrupted = STORE.interrupt(&key, token, true).await;
        assert_eq!(interrupted.expect("answers"), Written::Yes);
    });
    assert_eq!(outcome, refused("LeaseLost"));
    assert!(start.elapsed() <= 11 * SECOND, "{:?}", start.elapsed());
}

/// Nobody else may run while it is being dropped.
#[tokio::test(start_paused = true)]
async fn a_body_is_dropped_before_its_key_is_let_go() {
    in_memory!(STORE);
    struct Guard(Key);
    impl Drop for Guard {
        fn drop(&mut self) {
            let mut look = std::pin::pin!(STORE.look(&self.0));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let std::task::Poll::Ready(Ok(Some(found))) =
                std::future::Future::poll(look.as_mut(), &mut context)
            else {
                panic!("memory answers at once")
            };
            assert_eq!(found.record.state, State::InProgress);
        }
    }
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn charge(id: u64) -> Result<u64, Failure> {
        let _guard = Guard(current().key().clone());
        pending().await
    }
    tokio::time::timeout(SECOND, charge(7)).await.expect_err("it hangs");
    assert_eq!(STORE.count().await.expect("answers").interrupted, 1);
}

/// By then the key stands for something else.
#[tokio::test(start_paused = true)]
async fn a_superseded_owner_does_not_return_the_result_of_another_request() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, fingerprint = amount, store = STORE, scope = "other")]
    async fn charge(id: u64, amount: u64) -> Result<u64, Failure> {
        let key = Key::new("other", &id).expect("a number");
        let interrupted = STORE.interrupt(&key, current().fence(), true).await;
        assert_eq!(interrupted.expect("answers"), Written::Yes);
        assert!(STORE.resolve(&key, &Resolution::DidNotHappen).await.expect("answers"));
        let other = Claim::new(1).fingerprint(Fingerprint::new(&1).expect("a number"));
        let Ok(Claimed::Acquired(acquired)) = STORE.claim(&key, &other).await else {
            panic!("it is free")
        };
        let complete = STORE.complete(&key, acquired.token, true, Stored::of(&1)).await;
        assert_eq!(complete.expect("answers"), Written::Yes);
        Ok(amount)
    }
    assert_eq!(charge(7, 100).await, refused("LeaseLost"));
}

/// A winner that still runs is waited for, and a store that hangs is not.
#[tokio::test(start_paused = true)]
async fn a_superseded_owner_waits_a_while() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, scope = "waits")]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        let key = Key::new("waits", &id).expect("a number");
        let interrupted = keys.interrupt(&key, current().fence(), true).await;
        assert_eq!(interrupted.expect("answers"), Written::Yes);
        let Ok(Claimed::Acquired(acquired)) = keys.claim(&key, &Claim::new(1)).await else {
            panic!("it was interrupted")
        };
        let keys = keys.clone();
        tokio::spawn(async move {
            sleep(SECOND).await;
            let complete = keys.complete(&key, acquired.token, true, Stored::of(&70)).await;
            assert_eq!(complete.expect("answers"), Written::Yes);
        });
        Ok(id)
    }
    assert_eq!(charge(7, &keys).await, Ok(70));
    faulty.plan("look", Trouble::Hangs, 1);
    let start = Instant::now();
    assert_eq!(charge(8, &keys).await, refused("LeaseLost"));
    assert!(start.elapsed() <= 3 * SECOND, "{:?}", start.elapsed());
}
