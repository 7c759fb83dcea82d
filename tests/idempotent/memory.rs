//! The memory store: bounded, and it forgets nothing that it should not.

use std::time::Duration;

use steadfast::idempotent::{
    Claim, Claimed, Key, KeyStore, MemoryStore, Resolution, State, StoreError, Stored, Written,
};
use tokio::time::sleep;

use super::SECOND;

fn key(id: usize) -> Key {
    Key::new("memory", &id).expect("a number")
}

async fn begin(store: &MemoryStore, id: usize, claim: &Claim) -> Result<u64, StoreError> {
    match store.claim(&key(id), claim).await? {
        Claimed::Acquired(acquired) => Ok(acquired.token),
        other => panic!("{id} is new, and not {other:?}"),
    }
}

/// How many records it holds, those that have expired included.
fn held(store: &MemoryStore) -> String {
    format!("{store:?}").split([' ', ',']).nth(3).expect("`MemoryStore { keys: 3, ..`").to_owned()
}

#[tokio::test(start_paused = true)]
async fn is_full_rather_than_forgetful() {
    let store = MemoryStore::new().max_keys(100);
    for id in 0..100 {
        let token = begin(&store, id, &Claim::new(1)).await.expect("there is room");
        match id % 4 {
            0 => {}
            1 => assert_eq!(store.release(&key(id), token).await.expect("answers"), Written::Yes),
            2 => {
                let result = store.complete(&key(id), token, true, Stored::of(&1)).await;
                assert_eq!(result.expect("answers"), Written::Yes);
            }
            _ => {
                let cut_off = store.interrupt(&key(id), token, true).await;
                assert_eq!(cut_off.expect("answers"), Written::Yes);
            }
        }
    }
    let full = begin(&store, 100, &Claim::new(1)).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    assert_eq!(store.count().await.expect("answers").all(), 100);
    // Those it has are still served.
    let done = store.claim(&key(2), &Claim::new(2)).await.expect("answers");
    assert!(matches!(done, Claimed::Done(_)), "{done:?}");
    // What did not happen is the first to go.
    sleep(601 * SECOND).await;
    begin(&store, 100, &Claim::new(1)).await.expect("there is room again");
    assert_eq!(store.count().await.expect("answers").all(), 76);
}

#[tokio::test(start_paused = true)]
async fn bounds_the_results_too() {
    let store = MemoryStore::new().max_bytes(1_000);
    let (claim, large) = (Claim::new(1).ttl(60 * SECOND), Stored::of(&"x".repeat(998)));
    let token = begin(&store, 1, &claim).await.expect("there is room");
    let other = begin(&store, 2, &claim).await.expect("there is room");
    for (id, token) in [(1, token), (2, other)] {
        // The effect has happened: that is kept in any case.
        let written = store.complete(&key(id), token, true, large.clone()).await;
        assert_eq!(written.expect("answers"), Written::Yes);
    }
    let full = begin(&store, 3, &claim).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    sleep(61 * SECOND).await;
    begin(&store, 3, &claim).await.expect("there is room again");
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_goes_without_being_looked_at() {
    let store = MemoryStore::new();
    let claim = Claim::new(1).ttl(100 * SECOND).lease(10 * SECOND);
    for id in 0..10_000 {
        begin(&store, id, &claim).await.expect("there is room");
    }
    assert_eq!(held(&store), "10000");
    sleep(101 * SECOND).await;
    // As new ones come, two for one.
    for id in 10_000..16_000 {
        begin(&store, id, &claim).await.expect("there is room");
    }
    let left: usize = held(&store).parse().expect("a number");
    assert!(left < 6_500, "{left}");
    assert_eq!(store.count().await.expect("answers").all(), 6_000);
    assert_eq!(store.purge().await.expect("answers"), (left - 6_000) as u64);
    assert_eq!(held(&store), "6000");
}

/// Nobody is put in the place of one that runs, however long it does.
#[tokio::test(start_paused = true)]
async fn one_that_runs_is_pinned() {
    let store = MemoryStore::new().max_keys(2);
    let claim = Claim::new(1).ttl(20 * SECOND).lease(10 * SECOND);
    let token = begin(&store, 1, &claim).await.expect("there is room");
    begin(&store, 2, &claim).await.expect("there is room");
    for _ in 0..5 {
        sleep(9 * SECOND).await;
        let renewed = store.renew(&key(1), token, 10 * SECOND).await;
        assert_eq!(renewed.expect("answers"), Written::Yes);
    }
    begin(&store, 3, &claim).await.expect("the other one has expired");
    let full = begin(&store, 4, &claim).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    let found = store.look(&key(1)).await.expect("answers").expect("it runs");
    assert_eq!((found.record.state, found.record.token), (State::InProgress, token));
}

/// Keys that were made together do not go together.
#[tokio::test(start_paused = true)]
async fn retention_is_spread() {
    super::in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, ttl = "100s", lease = "1s")]
    async fn charge(id: u64) -> Result<u64, steadfast::Error> {
        Ok(id)
    }
    steadfast::testing::seed(7);
    for id in 0..1_000 {
        charge(id).await.expect("it runs");
    }
    sleep(100 * SECOND).await;
    assert!(STORE.count().await.expect("answers").done >= 999, "never earlier than it says");
    sleep(Duration::from_millis(2_500)).await;
    let done = STORE.count().await.expect("answers").done;
    assert!((400..600).contains(&done), "half of them after half of the twentieth: {done}");
    sleep(Duration::from_millis(2_600)).await;
    assert_eq!(STORE.count().await.expect("answers").done, 0);
}

/// A key that is tried again and again takes the room of one.
#[tokio::test(start_paused = true)]
async fn a_key_that_fails_a_million_times_takes_no_more_room() {
    let store = MemoryStore::new();
    let claims = |times: u128| {
        for owner in 0..times {
            let claim = Claim::new(owner);
            let claim = store.claim(&KEY, &claim);
            let steadfast::idempotent::Reply::Now(Some(Ok(Claimed::Acquired(acquired)))) = claim
            else {
                panic!("it is free")
            };
            drop(store.release(&KEY, acquired.token));
        }
    };
    static KEY: std::sync::LazyLock<Key> = std::sync::LazyLock::new(|| key(7));
    claims(100);
    let live = allocation_counter::measure(|| claims(100_000)).bytes_current;
    assert!(live < 1_000, "{live} bytes");
}

/// By an operator, who counts as the owner does.
#[tokio::test(start_paused = true)]
async fn what_is_resolved_wakes_and_takes_room() {
    let store = MemoryStore::new().max_bytes(1_000);
    let token = begin(&store, 1, &Claim::new(1).ttl(60 * SECOND)).await.expect("there is room");
    assert_eq!(store.interrupt(&key(1), token, true).await.expect("answers"), Written::Yes);
    let done = Resolution::Done(Stored::of(&"x".repeat(998)));
    assert!(store.resolve(&key(1), &done).await.expect("answers"));
    let full = begin(&store, 2, &Claim::new(1)).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    // The room is given back once, by whoever comes with the key again.
    sleep(61 * SECOND).await;
    begin(&store, 1, &Claim::new(2).ttl(60 * SECOND)).await.expect("it has expired");
    begin(&store, 2, &Claim::new(1)).await.expect("there is room again");
    assert!(format!("{store:?}").contains(" bytes: 0,"), "{store:?}");

    // A lease that is dead by the store's clock, while a waiter's timer has not gone off.
    let store = MemoryStore::new();
    let lease = Claim::new(1).lease(10 * SECOND);
    begin(&store, 3, &lease).await.expect("there is room");
    let waits = store.claim(&key(3), &Claim::new(2)).await.expect("answers");
    let Claimed::InProgress { changed: Some(changed), .. } = waits else { panic!("{waits:?}") };
    sleep(10 * SECOND).await;
    assert!(store.resolve(&key(3), &Resolution::DidNotHappen).await.expect("answers"));
    tokio::time::timeout(SECOND, changed).await.expect("it is woken");
}
