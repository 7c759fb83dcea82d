//! One round trip for each operation, counted on the wire.

use std::{net::SocketAddr, time::Duration};

use sqlx::postgres::PgPoolOptions;
use steadfast::idempotent::{Claim, Claimed, KeyStore, Written};
use steadfast_postgres::PostgresStore;
use steadfast_test_servers::{PgBouncer, Postgres, Proxy};

use crate::database::{Database, acquire, json, key};

#[tokio::test]
async fn an_operation_is_one_round_trip() {
    let database = Database::new();
    drop(database.store().await);
    count_them(&database, database.server().address()).await;
}

#[tokio::test]
async fn it_is_behind_a_pooler_that_lends_a_connection_for_a_transaction() {
    let database = Database::new();
    drop(database.store().await);
    let pooler = PgBouncer::before(database.server());
    count_them(&database, pooler.address()).await;

    // With two server connections for all of them, no two statements of a client need come to the same.
    let store = PostgresStore::connect(&pooler.url(database.name())).await.unwrap();
    let claims = (0..64).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let acquired = acquire(&store, 100 + task, 1).await;
            let key = key(100 + task);
            assert_eq!(store.renew(&key, acquired.token, LEASE).await.unwrap(), Written::Yes);
            let done = store.complete(&key, acquired.token, true, json("17")).await.unwrap();
            assert_eq!(done, Written::Yes);
            let replay = store.claim(&key, &Claim::new(2)).await.unwrap();
            assert!(matches!(replay, Claimed::Done(_)), "{replay:?}");
        })
    });
    for claim in claims.collect::<Vec<_>>() {
        claim.await.unwrap();
    }
}

#[tokio::test]
async fn the_schema_is_made_through_a_pooler() {
    let database = Database::new();
    let pooler = PgBouncer::before(database.server());
    let options = PostgresStore::options().create_schema();
    let store = options.connect(&pooler.url(database.name())).await.unwrap();
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}

async fn count_them(database: &Database, to: SocketAddr) {
    let proxy = Proxy::before(to);
    let url = format!("postgres://postgres@{}/{}", proxy.address(), database.name());
    let store = PostgresStore::connect(&url).await.unwrap();
    acquire(&store, 0, 1).await;

    let mut before = proxy.round_trips();
    let mut count = |what| {
        let trips = proxy.round_trips() - before;
        before += trips;
        assert_eq!(trips, 1, "{what}");
    };
    let token = acquire(&store, 1, 1).await.token;
    count("claim");
    assert_eq!(store.renew(&key(1), token, LEASE).await.unwrap(), Written::Yes);
    count("renew");
    assert_eq!(store.complete(&key(1), token, true, json("17")).await.unwrap(), Written::Yes);
    count("complete");
    assert!(matches!(store.claim(&key(1), &Claim::new(2)).await.unwrap(), Claimed::Done(_)));
    count("replay");
    assert!(store.look(&key(1)).await.unwrap().is_some());
    count("look");
    let token = acquire(&store, 2, 1).await.token;
    count("claim");
    let other = store.claim(&key(2), &Claim::new(2)).await.unwrap();
    assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");
    count("a duplicate");
    assert_eq!(store.release(&key(2), token).await.unwrap(), Written::Yes);
    count("release");
    let token = acquire(&store, 2, 3).await.token;
    count("claim");
    assert_eq!(store.interrupt(&key(2), token, true).await.unwrap(), Written::Yes);
    count("interrupt");
    assert!(acquire(&store, 2, 4).await.took_over);
    count("takeover");
}

/// Its connections are its own: bodies that hold all those of a pool do not keep it from renewing.
#[tokio::test]
async fn nobody_waits_for_a_connection_of_somebody_else() {
    let database = Database::new();
    let pool = PgPoolOptions::new().max_connections(2).connect(&database.url()).await.unwrap();
    let options = PostgresStore::options().create_schema().max_connections(1);
    let theirs = pool.connect_options().as_ref().clone().application_name("steadfast");
    let store = options.connect_with(theirs).await.unwrap();
    let _bodies = [pool.begin().await.unwrap(), pool.begin().await.unwrap()];
    assert!(pool.try_acquire().is_none(), "they hold all of them");
    let token = acquire(&store, 1, 1).await.token;
    let writes = (0..32).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.renew(&key(1), token, LEASE).await.unwrap() })
    });
    for write in writes.collect::<Vec<_>>() {
        assert_eq!(write.await.unwrap(), Written::Yes);
    }
    let own = database.sql(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'steadfast'",
    );
    assert_eq!(own, "1", "of all these tasks");
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_no_connection_with_it() {
    let server = Postgres::start();
    let url = server.url("postgres");
    let options = PostgresStore::options().create_schema().max_connections(2);
    let store = options.connect(&url).await.unwrap();
    for number in 0..50 {
        let (key, claim) = (key(number), Claim::new(1));
        let mut reply = store.claim(&key, &claim);
        tokio::select! {
            biased;
            _ = &mut reply => {}
            () = tokio::task::yield_now() => {}
        }
        drop(reply);
        assert_eq!(acquire(&store, number, 1).await.attempt, 1);
    }
}

const LEASE: Duration = Duration::from_secs(30);
