//! Duplicates that wait for a store which does not tell of changes.

use std::sync::Arc;

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{Failure, MILLI, SECOND, Store, faulty::Faulty};

#[steadfast::idempotent(key = id, store = keys, wait = "60s")]
async fn slow(id: u64, keys: Store) -> Result<u64, Failure> {
    sleep(20 * SECOND).await;
    Ok(id)
}

fn claims(faulty: &Faulty) -> usize {
    faulty.asked().iter().filter(|operation| **operation == "claim").count()
}

/// As many calls as that, which all get the result; when the last one did.
async fn wait_together(calls: usize, keys: &Store) -> Instant {
    let mut waiting = JoinSet::new();
    for _ in 0..calls {
        waiting.spawn(slow(7, keys.clone()));
    }
    while let Some(call) = waiting.join_next().await {
        assert_eq!(call.expect("no panic"), Ok(7));
    }
    Instant::now()
}

#[tokio::test(start_paused = true)]
async fn one_asks_for_all() {
    let faulty = Faulty::new();
    // Each is a process of its own.
    let (theirs, ours) = (faulty.store(), faulty.store());
    let start = Instant::now();
    let owner = tokio::spawn(slow(7, theirs));
    sleep(MILLI).await;
    let end = wait_together(1_000, &ours).await;
    assert_eq!(owner.await.expect("no panic"), Ok(7));
    assert!(end - start <= 21 * SECOND + 10 * MILLI, "{:?}", end - start);
    // Each asks when it comes, one of them meanwhile, and each again when that one knows.
    let asked = claims(&faulty) - 1;
    assert!((2_020..2_060).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_the_same_process_tells_at_once() {
    let faulty = Faulty::new();
    let keys = faulty.store();
    let start = Instant::now();
    let owner = tokio::spawn(slow(7, keys.clone()));
    sleep(MILLI).await;
    let end = wait_together(100, &keys).await;
    assert_eq!(owner.await.expect("no panic"), Ok(7));
    assert!(end - start <= 20 * SECOND + 5 * MILLI, "{:?}", end - start);
}

#[tokio::test(start_paused = true)]
async fn who_asks_may_leave() {
    let faulty = Faulty::new();
    let (theirs, ours) = (faulty.store(), faulty.store());
    let start = Instant::now();
    tokio::spawn(slow(7, theirs));
    sleep(MILLI).await;
    // Each of them is the one that asks when it leaves.
    let leaving: Vec<_> = (1..10_u32)
        .map(|seconds| tokio::spawn(timeout(seconds * SECOND, slow(7, ours.clone()))))
        .collect();
    let end = wait_together(2, &ours).await;
    assert!(end - start <= 21 * SECOND + 10 * MILLI, "{:?}", end - start);
    for call in leaving {
        call.await.expect("no panic").expect_err("it was to leave before");
    }
    assert!(claims(&faulty) < 70, "{}", claims(&faulty));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_forgotten_with_the_last_who_waits() {
    let faulty = Faulty::new();
    let keys = Arc::new(faulty.store());
    let owner = tokio::spawn(slow(7, (*keys).clone()));
    sleep(MILLI).await;
    timeout(SECOND, slow(7, (*keys).clone())).await.expect_err("it waits");
    assert!(format!("{keys:?}").contains("Crowds { keys: 0"), "{keys:?}");
    assert_eq!(owner.await.expect("no panic"), Ok(7));
}
