//! What stands between the store and its server.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use steadfast::idempotent::{Claim, KeyStore, State, Store, StoreError, Written};
use steadfast_postgres::PostgresStore;
use steadfast_test_servers::Proxy;

use crate::database::{Database, acquire, acquired, json, key};

struct Line {
    database: Database,
    proxy: Proxy,
    store: PostgresStore,
}

impl Line {
    async fn new() -> Self {
        Self::with_timeout(Duration::from_secs(20)).await
    }

    async fn with_timeout(timeout: Duration) -> Self {
        let database = Database::new();
        drop(database.store().await);
        let proxy = Proxy::before(database.server().address());
        let url = format!("postgres://postgres@{}/{}", proxy.address(), database.name());
        let store = PostgresStore::options().timeout(timeout).connect(&url).await.unwrap();
        Self { database, proxy, store }
    }
}

fn is_unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(error @ StoreError::Unavailable(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn down_before_the_claim() {
    let line = Line::new().await;
    line.proxy.cut_off();
    is_unavailable(line.store.claim(&key(1), &Claim::new(1)).await);
    line.proxy.restore();
    assert_eq!(acquire(&line.store, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn cut_off_between_the_claim_and_the_result() {
    let line = Line::new().await;
    let token = acquire(&line.store, 1, 1).await.token;
    line.proxy.cut_off();
    is_unavailable(line.store.complete(&key(1), token, true, json("17")).await);
    is_unavailable(line.store.renew(&key(1), token, Duration::from_secs(30)).await);
    line.proxy.restore();
    let done = line.store.complete(&key(1), token, true, json("17")).await.unwrap();
    assert_eq!(done, Written::Yes);
    let found = line.store.look(&key(1)).await.unwrap().unwrap();
    assert_eq!(found.record.state, State::Done(json("17")));
}

#[tokio::test]
async fn slower_than_the_timeout() {
    let line = Line::with_timeout(Duration::from_millis(300)).await;
    line.proxy.hold_replies();
    let says = is_unavailable(line.store.claim(&key(1), &Claim::new(1)).await);
    assert_eq!(says, "it has failed: it has not answered in time");
    line.proxy.restore();
    // The same call asks again, and is told whatever has come of it.
    let again = acquire(&line.store, 1, 1).await;
    assert_eq!((again.attempt, again.took_over), (1, false));
}

/// A connection whose server has gone since it was used last is not the caller's affair.
#[tokio::test]
async fn a_reply_that_is_eaten() {
    let line = Line::new().await;
    acquire(&line.store, 0, 1).await;
    line.proxy.eat_replies(1);
    let first = acquire(&line.store, 1, 1).await;
    assert_eq!((first.attempt, first.took_over), (1, false));
    assert_eq!(acquire(&line.store, 1, 1).await, first);
    line.proxy.eat_replies(1);
    let done = line.store.complete(&key(1), first.token, true, json("17")).await.unwrap();
    assert_eq!(done, Written::Yes);
    let token = acquire(&line.store, 2, 1).await.token;
    line.proxy.eat_replies(1);
    assert_eq!(line.store.interrupt(&key(2), token, true).await.unwrap(), Written::Yes);
    let found = line.store.look(&key(2)).await.unwrap().unwrap();
    assert_eq!(found.record.interruptions, 1, "it is counted once");
    assert_eq!(line.database.sql("SELECT count(*) FROM steadfast.keys"), "3");
}

/// Only an operator can tell whether it was he who resolved it.
#[tokio::test]
async fn a_resolution_is_not_asked_for_twice() {
    let line = Line::new().await;
    for number in [1, 2] {
        let token = acquire(&line.store, number, 1).await.token;
        let _ = line.store.interrupt(&key(number), token, true).await.unwrap();
    }
    // It is asked for on a connection that is sure to be there, which takes a round trip more.
    let resolution = steadfast::idempotent::Resolution::DidNotHappen;
    let before = line.proxy.round_trips();
    assert!(line.store.resolve(&key(2), &resolution).await.unwrap());
    assert_eq!(line.proxy.round_trips() - before, 2);
    line.proxy.eat_reply_after(1);
    is_unavailable(line.store.resolve(&key(1), &resolution).await);
    let found = line.store.look(&key(1)).await.unwrap().unwrap();
    assert_eq!(found.record.state, State::Released);
}

#[tokio::test]
async fn an_annotated_function_whose_result_is_hard_to_write() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[steadfast::idempotent(key = order, store = store)]
    async fn charge(store: &Store, proxy: &Proxy, order: u64) -> Result<u32, steadfast::Error> {
        // That of the first try to write it, and of its repetition by the store.
        proxy.eat_replies(2);
        Ok(RUNS.fetch_add(1, Ordering::Relaxed))
    }

    let line = Line::new().await;
    let store = Store::new(line.store.clone());
    for _ in 0..2 {
        assert_eq!(charge(&store, &line.proxy, 17).await.unwrap(), 0);
    }
}

/// As a pooler or a firewall does it.
#[tokio::test]
async fn connections_that_the_server_closes_while_they_are_idle() {
    let line = Line::new().await;
    let claims = (0..8).map(|number| {
        let store = line.store.clone();
        tokio::spawn(async move { acquire(&store, number, 1).await })
    });
    for claim in claims.collect::<Vec<_>>() {
        claim.await.unwrap();
    }
    let ended = line.database.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE application_name = 'steadfast' AND datname = current_database()",
    );
    assert!(ended.parse::<u32>().unwrap() > 0);
    for number in 0..8 {
        let claimed = line.store.claim(&key(number), &Claim::new(1)).await.unwrap();
        assert_eq!(acquired(claimed).attempt, 1);
    }
}
