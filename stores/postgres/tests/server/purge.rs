//! What has expired is forgotten.

use std::time::Duration;

use steadfast::{
    idempotent::{Claim, KeyStore},
    testing::StoreClock,
};

use crate::database::{Database, acquire, acquired, key};

/// As of 5 000 calls that are over, and 5 that are not.
fn fill(database: &Database) {
    database.sql(
        "INSERT INTO steadfast.keys
         SELECT 's'::bytea || int4send(n), 'done', n, decode(repeat('00', 16), 'hex'),
             decode(repeat('ff', 32), 'hex'), now(),
             now() + CASE WHEN n <= 5000 THEN interval '-1 minute' ELSE interval '1 hour' END,
             interval '1 hour', 1, 0, '1', NULL, now()
         FROM generate_series(1, 5005) AS n",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_at_once_purge_each_row_once() {
    let database = Database::new();
    let store = database.store().await;
    fill(&database);
    let purges = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.purge().await.unwrap() })
    });
    let mut counts = Vec::new();
    for purge in purges.collect::<Vec<_>>() {
        counts.push(purge.await.unwrap());
    }
    // Each skips what another is about: the last to come may leave a part, and never takes one twice.
    counts.push(store.purge().await.unwrap());
    println!("purged, by each: {counts:?}");
    assert_eq!(counts.iter().sum::<u64>(), 5_000, "{counts:?}");
    assert_eq!(database.sql("SELECT count(*) FROM steadfast.keys"), "5");
}

#[tokio::test]
async fn who_purges_waits_for_nobody() {
    let database = Database::new();
    let store = database.store().await;
    fill(&database);
    let mut other = database.connection().await;
    let lock = "BEGIN; SELECT FROM steadfast.keys WHERE token <= 10 FOR UPDATE";
    sqlx::Executor::execute(&mut other, lock).await.unwrap();
    assert_eq!(store.purge().await.unwrap(), 4_990);
    sqlx::Executor::execute(&mut other, "COMMIT").await.unwrap();
    assert_eq!(store.purge().await.unwrap(), 10);
}

#[tokio::test]
async fn what_runs_is_not_purged() {
    let database = Database::new();
    let store = database.store().await;
    let clock = database.clock();
    let claim = Claim::new(1).ttl(Duration::ZERO).lease(Duration::from_mins(2));
    let token = acquired(store.claim(&key(1), &claim).await.unwrap()).token;
    clock.pass(Duration::from_mins(1)).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    clock.pass(Duration::from_mins(1)).await;
    assert_eq!(store.purge().await.unwrap(), 1);
    assert!(acquire(&store, 1, 2).await.token > token);
}

/// Nobody has asked for it.
#[tokio::test]
async fn what_has_expired_is_deleted_beside_a_claim() {
    let database = Database::new();
    let store = database.store().await;
    fill(&database);
    acquire(&store, 1, 1).await;
    assert_eq!(database.sql("SELECT count(*) FROM steadfast.keys"), "5006", "it is not time yet");
    // By tokio's clock, which waits for nothing meanwhile.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    acquire(&store, 2, 1).await;
    while database.sql("SELECT count(*) FROM steadfast.keys") != "7" {
        tokio::task::yield_now().await;
    }
}
