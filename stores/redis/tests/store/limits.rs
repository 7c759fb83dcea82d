//! What a server is at its limits: its memory, its clock, what it holds.

use std::time::Duration;

use steadfast::idempotent::{Claim, Claimed, KeyStore, Resolution, StoreError, Stored, Written};
use steadfast_redis::RedisStore;
use steadfast_test_servers::{FakeClock, Redis};

use crate::common::{acquire, complete, connect, is_done, key, stored};

#[tokio::test]
async fn its_memory_is_full() {
    let server = Redis::start();
    let store = connect(&server).await;
    let tokens = [1, 2, 3, 4, 5].map(|number| (number, u128::from(number)));
    let mut held = Vec::new();
    for (number, owner) in tokens {
        held.push(acquire(&store, number, owner).await.token);
    }
    assert_eq!(complete(&store, 1, held[0]).await.unwrap(), Written::Yes);
    assert_eq!(store.interrupt(&key(5), held[4], true).await.unwrap(), Written::Yes);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    server.command(&["SCRIPT", "FLUSH"]);

    for _ in 0..2 {
        let refused = store.claim(&key(6), &Claim::new(6)).await;
        assert!(matches!(refused, Err(StoreError::Full)), "{refused:?}");
        let taken_over = store.claim(&key(5), &Claim::new(6)).await;
        assert!(matches!(taken_over, Err(StoreError::Full)), "{taken_over:?}");
    }
    // What is there goes on.
    assert!(is_done(&store, 1).await);
    assert_eq!(acquire(&store, 2, 2).await.token, held[1]);
    let other = store.claim(&key(2), &Claim::new(6)).await.unwrap();
    assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");
    let lease = Duration::from_secs(60);
    assert_eq!(store.renew(&key(2), held[1], lease).await.unwrap(), Written::Yes);
    let long = Stored::Json(vec![b'1'; 100_000].into());
    assert_eq!(store.complete(&key(2), held[1], true, long).await.unwrap(), Written::Yes);
    assert_eq!(store.release(&key(3), held[2]).await.unwrap(), Written::Yes);
    assert_eq!(store.interrupt(&key(4), held[3], true).await.unwrap(), Written::Yes);
    assert_eq!(store.interrupted(None, 10).await.unwrap().len(), 2);
    assert!(store.resolve(&key(4), &Resolution::Done(stored("1"))).await.unwrap());
    assert_eq!(store.count().await.unwrap().done, 3);

    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(acquire(&store, 6, 6).await.attempt, 1);
    assert_eq!(acquire(&store, 5, 6).await.attempt, 2);
}

#[tokio::test]
async fn its_clock_is_set_back() {
    let hour = Duration::from_secs(3_600);
    let clock = FakeClock::running();
    let server = Redis::options().clock(&clock).start();
    let store = connect(&server).await;
    let mut last = acquire(&store, 1, 1).await.token;
    clock.set_back(hour);
    for owner in 2..6 {
        assert_eq!(store.interrupt(&key(1), last, false).await.unwrap(), Written::Yes);
        let next = acquire(&store, 1, owner).await.token;
        assert_eq!(next, last + 1, "the clock is behind");
        last = next;
    }
    // Set back further than it is kept, it is forgotten only once its token has passed.
    assert_eq!(store.interrupt(&key(1), last, false).await.unwrap(), Written::Yes);
    clock.set_back(hour * 48);
    let token = acquire(&store, 1, 6).await.token;
    assert_eq!(token, last + 1);
    clock.pass(hour * 40);
    assert_eq!(store.look(&key(1)).await.unwrap(), None, "it has expired");
    let next = acquire(&store, 1, 7).await;
    assert_eq!((next.token, next.attempt), (token + 1, 1));
}

#[tokio::test]
async fn what_it_holds_is_something_else() {
    let server = Redis::start();
    let store = connect(&server).await;
    acquire(&store, 1, 1).await;
    let names = server.command(&["EVAL", "return #redis.call('KEYS', 'steadfast:*')", "0"]);
    assert_eq!(names, "1");
    let spoils = [
        "redis.call('SETRANGE', k, 0, '?')",
        "redis.call('SET', k, '1')",
        "redis.call('SET', k, '')",
        "redis.call('DEL', k) redis.call('HSET', k, 's', 'd')",
    ];
    for spoil in spoils {
        let code = format!("local k = redis.call('KEYS', 'steadfast:*')[1] {spoil} return 1");
        assert_eq!(server.command(&["EVAL", &code, "0"]), "1");
        let claimed = store.claim(&key(1), &Claim::new(1)).await;
        assert!(matches!(claimed, Err(StoreError::Corrupt(_))), "{spoil}: {claimed:?}");
        let written = complete(&store, 1, 1).await;
        assert!(matches!(written, Err(StoreError::Corrupt(_))), "{spoil}: {written:?}");
        let found = store.look(&key(1)).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{spoil}: {found:?}");
    }
}

#[tokio::test]
async fn times_without_end() {
    let server = Redis::start();
    let store = connect(&server).await;
    let claim = Claim::new(1).lease(Duration::MAX).ttl(Duration::MAX);
    let Claimed::Acquired(acquired) = store.claim(&key(1), &claim).await.unwrap() else { panic!() };
    let record = store.look(&key(1)).await.unwrap().unwrap().record;
    assert!(record.lease_until < record.expires_at && record.expires_at < u64::MAX);
    let renewed = store.renew(&key(1), acquired.token, Duration::MAX).await.unwrap();
    assert_eq!(renewed, Written::Yes);
    assert_eq!(complete(&store, 1, acquired.token).await.unwrap(), Written::Yes);
    assert!(is_done(&store, 1).await);
}

#[tokio::test]
async fn what_somebody_else_has_put_there_is_not_looked_at() {
    let server = Redis::start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    assert_eq!(store.interrupt(&key(1), token, true).await.unwrap(), Written::Yes);
    server.command(&["SET", "steadfast:motd", "hello"]);
    let nested = RedisStore::options().prefix("steadfast:eu").connect(&server.url()).await.unwrap();
    acquire(&nested, 2, 1).await;
    assert_eq!(store.interrupted(None, 10).await.unwrap().len(), 1);
    let counts = store.count().await.unwrap();
    assert_eq!((counts.interrupted, counts.in_progress), (1, 0));
}
