//! A duplicate that comes while the first call runs.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll},
};

use steadfast::idempotent::current;
use tokio::time::{Instant, sleep, timeout};

use super::{Failure, MILLI, SECOND, faulty::Faulty, in_memory, observed, refused};

#[tokio::test(start_paused = true)]
async fn ten_thousand_get_the_one_result_in_one_wake_up() {
    in_memory!(STORE);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static POLLS: AtomicU32 = AtomicU32::new(0);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn charge(id: u64) -> Result<u64, Failure> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        sleep(SECOND).await;
        Ok(id)
    }
    async fn counted<F: Future>(call: F) -> F::Output {
        let mut call = pin!(call);
        std::future::poll_fn(move |cx: &mut Context<'_>| -> Poll<F::Output> {
            POLLS.fetch_add(1, Ordering::Relaxed);
            call.as_mut().poll(cx)
        })
        .await
    }
    let start = Instant::now();
    let calls: Vec<_> = (0..10_000).map(|_| tokio::spawn(counted(charge(7)))).collect();
    for call in calls {
        assert_eq!(call.await.expect("no panic"), Ok(7));
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert!(start.elapsed() <= SECOND + 2 * MILLI, "{:?}", start.elapsed());
    // One to begin, one to end.
    assert_eq!(POLLS.load(Ordering::Relaxed), 20_000);
}

#[tokio::test(start_paused = true)]
async fn is_refused_where_the_attribute_says_so() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_duplicate = "reject")]
    async fn rejecting(id: u64) -> Result<u64, Failure> {
        sleep(SECOND).await;
        Ok(id)
    }
    let events = observed("rejecting");
    let start = Instant::now();
    let (first, second) = tokio::join!(rejecting(7), async {
        let second = rejecting(7).await;
        assert!(start.elapsed().is_zero());
        second
    });
    assert_eq!((first, second), (Ok(7), refused("InProgress")));
    assert_eq!(rejecting(7).await, Ok(7));
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["refused in_progress", "replayed"]);
}

#[tokio::test(start_paused = true)]
async fn waits_no_longer_than_it_may() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, wait = "3s")]
    async fn slow(id: u64) -> Result<u64, Failure> {
        sleep(10 * SECOND).await;
        Ok(id)
    }
    #[steadfast::deadline("1s")]
    async fn in_a_hurry(id: u64) -> Result<u64, Failure> {
        slow(id).await
    }
    let first = tokio::spawn(slow(7));
    sleep(MILLI).await;
    let start = Instant::now();
    assert_eq!(slow(7).await, refused("InProgress"));
    assert_eq!(start.elapsed(), 3 * SECOND);
    // The deadline of the caller is obeyed, and the refusal says what it was waiting for.
    let start = Instant::now();
    assert_eq!(in_a_hurry(7).await, refused("InProgress"));
    assert!(start.elapsed() <= SECOND, "{:?}", start.elapsed());
    assert_eq!(first.await.expect("no panic"), Ok(7));
}

#[tokio::test(start_paused = true)]
async fn runs_itself_if_the_first_did_not_happen() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, wait = "5s")]
    async fn charge(id: u64) -> Result<u32, Failure> {
        sleep(SECOND).await;
        if current().attempt() == 1 { Err(Failure::Busy) } else { Ok(current().attempt()) }
    }
    let start = Instant::now();
    let (first, second, third) = tokio::join!(charge(7), charge(7), charge(7));
    assert_eq!((first, second, third), (Err(Failure::Busy), Ok(2), Ok(2)));
    assert!(start.elapsed() <= 2 * SECOND + 3 * MILLI, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn takes_over_at_once_if_the_first_is_dropped() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, wait = "60s")]
    async fn charge(id: u64) -> Result<bool, Failure> {
        if current().attempt() == 1 { pending().await } else { Ok(current().interrupted_before()) }
    }
    let start = Instant::now();
    let (first, second) = tokio::join!(timeout(SECOND, charge(7)), charge(7));
    assert!(first.is_err());
    assert_eq!(second, Ok(true));
    assert!(start.elapsed() <= SECOND + MILLI, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn changes_nothing_when_it_leaves() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn charge(id: u64) -> Result<u32, Failure> {
        sleep(SECOND).await;
        Ok(current().attempt())
    }
    let first = tokio::spawn(charge(7));
    sleep(MILLI).await;
    timeout(100 * MILLI, charge(7)).await.expect_err("it waits for longer");
    assert_eq!(charge(7).await, Ok(1));
    assert_eq!(first.await.expect("no panic"), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn asks_a_store_that_tells_nothing_ever_more_seldom() {
    let faulty = Faulty::new();
    #[steadfast::idempotent(key = id, store = keys, wait = "30s")]
    async fn charge(id: u64, keys: &super::Store) -> Result<u64, Failure> {
        sleep(20 * SECOND).await;
        Ok(id)
    }
    let keys = faulty.store();
    let (first, second) = tokio::join!(charge(7, &keys), charge(7, &keys));
    assert_eq!((first, second), (Ok(7), Ok(7)));
    let asked = faulty.asked().iter().filter(|operation| **operation == "claim").count();
    assert!((20..60).contains(&asked), "{asked}");
}
