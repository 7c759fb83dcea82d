//! A run that was cut off.

use std::{
    future::pending,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
};

use steadfast::{
    circuit_breaker::CircuitBreaker,
    idempotent::{Resolution, Stored, current},
};
use tokio::time::{sleep, timeout};

use super::{Failure, MILLI, SECOND, faulty::Faulty, in_memory, observed, refused};

#[tokio::test(start_paused = true)]
async fn a_dropped_run_may_repeat_and_says_so() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn dropped_runs(id: u64) -> Result<(u32, bool), Failure> {
        let run = current();
        if run.attempt() < 3 {
            pending().await
        } else {
            Ok((run.attempt(), run.interrupted_before()))
        }
    }
    let events = observed("::dropped_runs");
    for _ in 0..2 {
        timeout(SECOND, dropped_runs(7)).await.expect_err("it hangs");
    }
    assert_eq!(dropped_runs(7).await, Ok((3, true)));
    assert_eq!(
        events.try_iter().collect::<Vec<_>>(),
        ["interrupted dropped", "may repeat 1", "interrupted dropped", "may repeat 2",]
    );
}

#[tokio::test(start_paused = true)]
async fn and_not_for_ever() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, max_interruptions = 2)]
    async fn hangs(id: u64) -> Result<u64, Failure> {
        pending().await
    }
    for _ in 0..2 {
        timeout(SECOND, hangs(7)).await.expect_err("it hangs");
    }
    for _ in 0..2 {
        assert_eq!(hangs(7).await, refused("Interrupted"));
    }
}

#[tokio::test(start_paused = true)]
async fn is_refused_until_somebody_resolves_it() {
    in_memory!(STORE);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    async fn charge(id: u64) -> Result<String, Failure> {
        if RUNS.fetch_add(1, Ordering::Relaxed) < 2 {
            pending::<()>().await;
        }
        Ok(format!("receipt of {id}"))
    }
    for id in [7, 8] {
        timeout(SECOND, charge(id)).await.expect_err("it hangs");
        assert_eq!(charge(id).await, refused("Interrupted"));
    }
    let found = STORE.interrupted(None, 10).await.expect("memory answers");
    assert_eq!(found.len(), 2);
    let seven = found.iter().find(|found| found.key.to_string().ends_with("::charge(7)"));
    let seven = &seven.expect("it is listed").key;
    let resolution = Resolution::Done(Stored::of(&"the receipt that was found"));
    assert!(STORE.resolve(seven, &resolution).await.expect("memory answers"));
    assert_eq!(charge(7).await, Ok("the receipt that was found".to_owned()));
    let eight = &found.iter().find(|found| found.key != *seven).expect("it is listed").key;
    assert!(STORE.resolve(eight, &Resolution::DidNotHappen).await.expect("memory answers"));
    assert_eq!(charge(8).await, Ok("receipt of 8".to_owned()));
    assert_eq!(RUNS.load(Ordering::Relaxed), 3);
    let counts = STORE.count().await.expect("memory answers");
    assert_eq!((counts.done, counts.interrupted), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_interruption_and_goes_on_unwinding() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    async fn panics(id: u64) -> Result<u64, Failure> {
        sleep(MILLI).await;
        panic!("no {id}")
    }
    let events = observed("::panics");
    let task = tokio::spawn(AssertUnwindSafe(panics(7)).0);
    assert!(task.await.expect_err("it panics").is_panic());
    assert_eq!(panics(7).await, refused("Interrupted"));
    assert_eq!(
        events.try_iter().collect::<Vec<_>>(),
        ["interrupted panicked", "refused interrupted"]
    );
}

/// What an error says of the run, whatever stands between.
#[tokio::test(start_paused = true)]
async fn only_what_may_have_happened_is_one() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    async fn by_fault(id: u64, failure: Failure) -> Result<u32, Failure> {
        if current().attempt() == 1 { Err(failure) } else { Ok(2) }
    }
    for (id, failure) in [(1, Failure::Busy), (2, Failure::Declined)] {
        assert_eq!(by_fault(id, failure.clone()).await, Err(failure));
        assert_eq!(by_fault(id, Failure::Busy).await, Ok(2));
    }
    assert_eq!(by_fault(3, Failure::NoReply).await, Err(Failure::NoReply));
    assert_eq!(by_fault(3, Failure::NoReply).await, refused("Interrupted"));

    #[steadfast::idempotent(key = id, store = STORE, when = |e| *e != Failure::Busy, on_interrupted = "fail")]
    async fn by_answer(id: u64) -> Result<u32, Failure> {
        if current().attempt() == 1 { Err(Failure::NoReply) } else { Ok(2) }
    }
    assert_eq!(by_answer(7).await, Err(Failure::NoReply));
    assert_eq!(by_answer(7).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_cuts_it_off_is_one() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail", when = any)]
    #[steadfast::deadline("1s")]
    async fn below(id: u64) -> Result<u64, Failure> {
        pending().await
    }
    let events = observed("::below");
    assert_eq!(below(7).await, refused("DeadlineExceeded"));
    assert_eq!(below(7).await, refused("Interrupted"));
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["interrupted late", "refused interrupted"]);

    #[steadfast::deadline("1s")]
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    async fn above(id: u64) -> Result<u64, Failure> {
        pending().await
    }
    assert_eq!(above(7).await, refused("DeadlineExceeded"));
    assert_eq!(above(7).await, refused("Interrupted"));
}

/// A call that was never sent did not happen.
#[tokio::test(start_paused = true)]
async fn what_did_not_begin_is_none() {
    in_memory!(STORE);
    static BREAKER: CircuitBreaker = CircuitBreaker::new("what_did_not_begin");
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    #[steadfast::circuit_breaker(with = BREAKER)]
    async fn broken(id: u64) -> Result<u64, Failure> {
        Ok(id)
    }
    BREAKER.force_open();
    assert_eq!(broken(7).await, refused("CircuitOpen"));
    BREAKER.force_closed();
    assert_eq!(broken(7).await, Ok(7));

    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    #[steadfast::deadline]
    async fn late(id: u64) -> Result<u64, Failure> {
        Ok(id)
    }
    #[steadfast::deadline("1s")]
    async fn wastes_its_time(id: u64) -> Result<u64, Failure> {
        let mut calls = std::pin::pin!(async {
            sleep(MILLI).await;
            tokio::time::advance(2 * SECOND).await;
        });
        std::future::poll_fn(|cx| calls.as_mut().poll(cx)).await;
        late(id).await
    }
    let _ = wastes_its_time(7).await;
    assert_eq!(late(7).await, Ok(7));
}

/// The claim was sent, and the caller left before it knew.
#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_before_it_begins_leaves_nothing_behind() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    #[steadfast::idempotent(key = id, store = keys, on_interrupted = "fail")]
    async fn charge(id: u64, keys: &super::Store) -> Result<u64, Failure> {
        Ok(id)
    }
    faulty.plan("claim", super::faulty::Trouble::LateReply(SECOND), 1);
    // Dropped between the store's step and its answer.
    timeout(500 * MILLI, charge(7, &keys)).await.expect_err("the claim takes a second");
    assert_eq!(keys.count().await.expect("answers").in_progress, 1);
    sleep(SECOND).await;
    assert_eq!(keys.count().await.expect("answers").released, 1);
    assert_eq!(charge(7, &keys).await, Ok(7));
}

/// Two attempts, of which the first may have happened: that the second did not says nothing of the run.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_happened_is_not_forgotten_for_a_later_one() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    #[steadfast::retry(max = 2, safe)]
    async fn charge(id: u64, failures: &mut Vec<Failure>) -> Result<u64, Failure> {
        failures.pop().map_or(Ok(id), Err)
    }
    assert_eq!(charge(1, &mut vec![Failure::Busy, Failure::NoReply]).await, Err(Failure::Busy));
    assert_eq!(charge(1, &mut vec![]).await, refused("Interrupted"));
    // A peer that has seen the key twice, and refuses for good, has decided.
    assert_eq!(
        charge(2, &mut vec![Failure::Declined, Failure::NoReply]).await,
        Err(Failure::Declined)
    );
    assert_eq!(charge(2, &mut vec![]).await, Ok(2));
    assert_eq!(charge(3, &mut vec![Failure::Busy, Failure::Busy]).await, Err(Failure::Busy));
    assert_eq!(charge(3, &mut vec![]).await, Ok(3));

    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail")]
    #[steadfast::retry(max = 2, when = any)]
    #[steadfast::deadline("1s")]
    async fn cut_off(id: u64, attempts: &mut u32) -> Result<u64, Failure> {
        *attempts += 1;
        if *attempts == 1 { pending().await } else { Err(Failure::Busy) }
    }
    assert_eq!(cut_off(1, &mut 0).await, Err(Failure::Busy));
    assert_eq!(cut_off(1, &mut 0).await, refused("Interrupted"));
}

/// What a run before it has done is no better known.
#[tokio::test(start_paused = true)]
async fn a_run_that_did_nothing_leaves_it_as_it_was() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn still_unknown(id: u64) -> Result<u32, Failure> {
        match current().attempt() {
            1 => pending().await,
            attempt @ 2..10 => {
                assert!(current().interrupted_before(), "{attempt}");
                Err(Failure::Busy)
            }
            attempt => Ok(attempt),
        }
    }
    let events = observed("::still_unknown");
    timeout(SECOND, still_unknown(7)).await.expect_err("it hangs");
    for _ in 2..10 {
        assert_eq!(still_unknown(7).await, Err(Failure::Busy));
    }
    assert_eq!(still_unknown(7).await, Ok(10));
    let repeats = events.try_iter().filter(|event| event == "may repeat 1").count();
    assert_eq!(repeats, 9, "each time");
}
