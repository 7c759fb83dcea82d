//! A store that fails, at each point of a call.

use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::idempotent::{Truth, current};
use tokio::time::{Instant, sleep, timeout};

use super::{
    Failure, MILLI, SECOND, Store,
    faulty::{Faulty, Trouble},
    observed, refused,
};

#[tokio::test(start_paused = true)]
async fn down_before_the_claim_nothing_runs() {
    let faulty = Faulty::new();
    let (keys, runs) = (faulty.store(), AtomicU32::new(0));
    #[steadfast::idempotent(key = id, store = keys)]
    async fn down_before(id: u64, keys: &Store, runs: &AtomicU32) -> Result<u64, Failure> {
        runs.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }
    let events = observed("::down_before");
    faulty.plan("claim", Trouble::Down, 3);
    assert_eq!(down_before(7, &keys, &runs).await, refused("StoreUnavailable"));
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    faulty.heal();
    assert_eq!(down_before(7, &keys, &runs).await, Ok(7));
    let failed = ["failed claim"; 3].into_iter().chain(["refused store_unavailable"]);
    assert_eq!(events.try_iter().collect::<Vec<_>>(), failed.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn full_is_said_at_once() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_store_error = "fail")]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        Ok(id)
    }
    faulty.plan("claim", Trouble::Full, 1);
    assert_eq!(charge(7, &keys).await, refused("StoreFull"));
    assert_eq!(faulty.asked(), ["claim"]);
}

#[tokio::test(start_paused = true)]
async fn down_before_the_claim_it_runs_if_the_user_says_so() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_store_error = "run")]
    async fn risky(id: u64, keys: &Store) -> Result<u64, Failure> {
        sleep(SECOND).await;
        Ok(current().fence())
    }
    let events = observed("::risky");
    faulty.plan("claim", Trouble::Down, 3);
    assert_eq!(risky(7, &keys).await, Ok(0));
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events.last().map(String::as_str), Some("unguarded"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_the_claim_is_asked_for_again() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys)]
    async fn charge(id: u64, keys: &Store) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    faulty.plan("claim", Trouble::LostReply, 2);
    let start = Instant::now();
    assert_eq!(charge(7, &keys).await, Ok(1));
    assert!(start.elapsed() < SECOND, "not after the lease: {:?}", start.elapsed());
    assert_eq!(faulty.asked(), ["claim", "claim", "claim", "complete"]);
}

/// Somebody else may run it by then.
#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_when_its_lease_is_over_runs_nothing() {
    let faulty = Faulty::new();
    let (keys, runs) = (faulty.store(), AtomicU32::new(0));
    #[steadfast::idempotent(key = id, store = keys, lease = "2s", on_interrupted = find)]
    async fn late(id: u64, keys: &Store, runs: &AtomicU32) -> Result<u32, Failure> {
        runs.fetch_add(1, Ordering::Relaxed);
        if current().attempt() < 3 { std::future::pending().await } else { Ok(current().attempt()) }
    }
    async fn find(_: u64, _: &Store, asked: &AtomicU32) -> Truth<u32> {
        sleep(MILLI).await;
        asked.fetch_add(100, Ordering::Relaxed);
        Truth::DidNotHappen
    }
    let late_reply = Trouble::LateReply(2 * SECOND);
    faulty.plan("claim", late_reply, 1);
    assert_eq!(late(7, &keys, &runs).await, refused("StoreUnavailable"));
    sleep(MILLI).await;
    assert_eq!(keys.count().await.expect("answers").released, 1, "it is given back");
    timeout(SECOND, late(7, &keys, &runs)).await.expect_err("it hangs");
    sleep(MILLI).await;
    // The same for somebody who is to find out.
    faulty.plan("claim", late_reply, 1);
    assert_eq!(late(7, &keys, &runs).await, refused("StoreUnavailable"));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    sleep(MILLI).await;
    assert_eq!(keys.count().await.expect("answers").interrupted, 1, "it is as it was");
    assert_eq!(late(7, &keys, &runs).await, Ok(4));
    assert_eq!(runs.load(Ordering::Relaxed), 102);
}

/// The claim is in the store, and nobody knows: it must not look like a run that was cut off.
#[tokio::test(start_paused = true)]
async fn a_claim_that_nobody_waits_for_is_taken_back() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_interrupted = "fail")]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        Ok(id)
    }
    faulty.plan("claim", Trouble::LostReply, 3);
    assert_eq!(charge(7, &keys).await, refused("StoreUnavailable"));
    sleep(2 * SECOND).await;
    assert_eq!(charge(7, &keys).await, Ok(7));
    // The same where the caller leaves.
    faulty.plan("claim", Trouble::LostReply, 1);
    timeout(10 * MILLI, charge(8, &keys)).await.expect_err("it is about to ask again");
    sleep(2 * SECOND).await;
    assert_eq!(charge(8, &keys).await, Ok(8));
}

#[tokio::test(start_paused = true)]
async fn down_after_the_effect_the_result_is_recorded_later() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys)]
    async fn charge(id: u64, keys: &Store) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    // For a moment.
    faulty.plan("complete", Trouble::Down, 1);
    faulty.plan("complete", Trouble::LostReply, 1);
    assert_eq!(charge(7, &keys).await, Ok(1));
    assert_eq!(charge(7, &keys).await, Ok(1));
    // For longer than the caller can wait: it has its value, and the key is not run again.
    faulty.plan("complete", Trouble::Down, 1_000);
    let start = Instant::now();
    assert_eq!(charge(8, &keys).await, Ok(1));
    assert!(start.elapsed() <= 2 * SECOND, "{:?}", start.elapsed());
    sleep(60 * SECOND).await;
    faulty.heal();
    sleep(10 * SECOND).await;
    assert_eq!(charge(8, &keys).await, Ok(1));
}

/// By then its own caller has its result, and all who come after that of the other one.
#[tokio::test(start_paused = true)]
async fn what_comes_too_late_to_be_recorded_is_told() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, lease = "1s")]
    async fn too_late(id: u64, keys: &Store) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    let events = observed("::too_late");
    faulty.plan("complete", Trouble::Slow(2 * SECOND), 20);
    faulty.plan("renew", Trouble::Down, 20);
    assert_eq!(too_late(7, &keys).await, Ok(1));
    sleep(SECOND).await;
    faulty.heal();
    faulty.plan("renew", Trouble::Down, 1);
    assert_eq!(too_late(7, &keys).await, Ok(2));
    sleep(10 * SECOND).await;
    assert_eq!(too_late(7, &keys).await, Ok(2));
    let events: Vec<_> = events.try_iter().filter(|event| !event.starts_with("failed")).collect();
    assert_eq!(events, ["may repeat 1", "lease lost", "replayed"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_after_the_effect_holds_nobody_up() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys)]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        Ok(id)
    }
    faulty.plan("complete", Trouble::Hangs, 3);
    let start = Instant::now();
    assert_eq!(charge(7, &keys).await, Ok(7));
    assert!(start.elapsed() <= 2 * SECOND, "{:?}", start.elapsed());
    // Nor is it asked once, and waited for.
    sleep(25 * SECOND).await;
    assert_eq!(keys.count().await.expect("answers").done, 1);
    assert_eq!(charge(7, &keys).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_told() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys)]
    async fn unrecorded(id: u64, keys: &Store) -> Result<u64, Failure> {
        Ok(id)
    }
    let events = observed("::unrecorded");
    faulty.plan("complete", Trouble::Down, usize::from(u16::MAX));
    assert_eq!(unrecorded(7, &keys).await, Ok(7));
    sleep(650 * SECOND).await;
    let events: Vec<_> = events.try_iter().filter(|event| event != "failed complete").collect();
    assert_eq!(events, ["unrecorded"]);
    assert!(!faulty.asked().contains(&"release"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_while_it_is_recorded_changes_nothing() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_interrupted = "fail")]
    async fn charge(id: u64, keys: &Store) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    faulty.plan("complete", Trouble::Slow(SECOND), 1);
    timeout(500 * MILLI, charge(7, &keys)).await.expect_err("it is being recorded");
    assert_eq!(charge(7, &keys).await, Ok(1));
    assert!(!faulty.asked().contains(&"interrupt"));
}

/// That it happened is kept, if nothing else can be.
#[tokio::test(start_paused = true)]
async fn a_result_gives_way_where_there_is_no_room() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys)]
    async fn charge(id: u64, keys: &Store) -> Result<u64, Failure> {
        Ok(id)
    }
    faulty.plan("complete", Trouble::Full, 1);
    assert_eq!(charge(7, &keys).await, Ok(7));
    assert_eq!(charge(7, &keys).await, refused("ResultUnavailable"));
    assert_eq!(faulty.store().count().await.expect("answers").done, 1);
}

/// As long as the store takes a sign of life, nobody else runs what has happened.
#[tokio::test(start_paused = true)]
async fn the_lease_is_renewed_while_a_result_cannot_be_recorded() {
    for (trouble, lease) in [(Trouble::Down, 1), (Trouble::Hangs, 5), (Trouble::Hangs, 30)] {
        let faulty = Faulty::new();
        let keys = faulty.store();
        #[steadfast::idempotent(key = lease.as_secs(), store = keys, lease = lease, wait = "1ms")]
        async fn charge(lease: std::time::Duration, keys: &Store) -> Result<u32, Failure> {
            Ok(current().attempt())
        }
        let lease = lease * SECOND;
        faulty.plan("complete", trouble, 12);
        assert_eq!(charge(lease, &keys).await, Ok(1));
        for _ in 0..200 {
            sleep(lease / 5).await;
            let again = charge(lease, &keys).await;
            assert!([Ok(1), refused("InProgress")].contains(&again), "{trouble:?}: {again:?}");
        }
        assert_eq!(charge(lease, &keys).await, Ok(1));
    }
}

/// Who runs without an answer may hold the key after all.
#[tokio::test(start_paused = true)]
async fn a_run_without_a_guard_is_not_robbed_of_the_key_that_it_may_have() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_store_error = "run", wait = "1ms")]
    async fn risky(id: u64, keys: &Store) -> Result<u64, Failure> {
        sleep(20 * SECOND).await;
        Ok(current().fence())
    }
    faulty.plan("claim", Trouble::LostReply, 3);
    let (first, second) = tokio::join!(risky(7, &keys), async {
        sleep(10 * SECOND).await;
        risky(7, &keys).await
    });
    assert_eq!((first, second), (Ok(0), refused("InProgress")));
    assert!(!faulty.asked().contains(&"release"));
}
