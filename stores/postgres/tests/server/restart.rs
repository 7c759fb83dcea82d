//! A server that goes and comes back.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use steadfast::idempotent::{Claim, Claimed, KeyStore, Resolution, StoreError, Written};
use steadfast_postgres::{ConnectError, PostgresStore};
use steadfast_test_servers::Postgres;

use crate::database::{acquire, json, key};

async fn connect(server: &Postgres) -> PostgresStore {
    let options = PostgresStore::options().create_schema();
    options.connect(&server.url("postgres")).await.unwrap()
}

/// Keys from 0: of three, one is done, one is let go and one runs. What was answered is acknowledged.
async fn fill(store: &PostgresStore, calls: u32) {
    let tasks = (0..calls).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let token = acquire(&store, number, 1).await.token;
            let written = match number % 3 {
                0 => store.complete(&key(number), token, true, json("17")).await,
                1 => store.release(&key(number), token).await,
                _ => Ok(Written::Yes),
            };
            assert_eq!(written.unwrap(), Written::Yes);
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

async fn check(store: &PostgresStore, calls: u32) {
    for number in 0..calls {
        let claimed = store.claim(&key(number), &Claim::new(2)).await.unwrap();
        match (number % 3, claimed) {
            (0, Claimed::Done(result)) => assert_eq!(result, json("17")),
            (1, Claimed::Acquired(acquired)) => assert_eq!(acquired.attempt, 2),
            (2, Claimed::InProgress { .. }) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    let server = Postgres::with(&[("fsync", "on")]);
    let store = connect(&server).await;
    assert!(store.durability().survives_a_crash(), "{}", store.durability());
    assert!(!store.durability().survives_a_failover(), "{}", store.durability());
    fill(&store, 90).await;
    server.crash();
    let down = store.claim(&key(0), &Claim::new(2)).await;
    assert!(matches!(down, Err(StoreError::Unavailable(_))), "{down:?}");
    server.restart();
    // The store has noticed, and each of its connections is a new one.
    check(&store, 90).await;
    server.kill();
    server.restart();
    check_after_takeover(&store).await;
}

/// Nobody has noticed that the server was not there.
async fn check_after_takeover(store: &PostgresStore) {
    assert!(matches!(store.claim(&key(0), &Claim::new(3)).await.unwrap(), Claimed::Done(_)));
    let running = store.claim(&key(1), &Claim::new(3)).await.unwrap();
    assert!(matches!(running, Claimed::InProgress { .. }), "{running:?}");
}

#[tokio::test]
async fn a_server_process_that_is_killed_takes_the_others_with_it() {
    let server = Postgres::start();
    let store = connect(&server).await;
    fill(&store, 30).await;
    let pids = server.sql(
        "postgres",
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'steadfast' LIMIT 1",
    );
    let killed = Command::new("kill").args(["-9", &pids]).status().unwrap();
    assert!(killed.success());
    // It starts anew by itself, and lets nobody in until then.
    let give_up = Instant::now() + Duration::from_mins(1);
    while server.log().matches("ready to accept connections").count() < 2 {
        assert!(Instant::now() < give_up, "{}", server.log());
        tokio::task::yield_now().await;
    }
    // The store's connections have all ended, and no caller hears of it.
    check(&store, 30).await;
    assert!(server.log().contains("terminated by signal 9"), "{}", server.log());
}

#[tokio::test]
async fn a_standby_is_no_place_for_keys_until_it_takes_over() {
    let server = Postgres::start();
    drop(connect(&server).await);
    let standby = server.standby();
    let error = PostgresStore::connect(&standby.url("postgres")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Standby), "{error:?}");
    standby.sql("postgres", "SELECT pg_promote()");
    let store = PostgresStore::connect(&standby.url("postgres")).await.unwrap();
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn what_a_crash_loses_is_told() {
    let server = Postgres::with(&[("synchronous_commit", "off")]);
    let store = connect(&server).await;
    assert!(!store.durability().survives_a_crash());
    assert_eq!(
        store.durability().to_string(),
        "in the memory of the server (synchronous_commit off, fsync off): a crash loses the latest"
    );
}

/// A server process that waits for a standby does not notice that nobody waits for its reply any more.
#[tokio::test]
async fn commits_that_are_stuck_take_no_more_than_the_connections_there_are() {
    let server = Postgres::start();
    let url = server.url("postgres");
    let options = PostgresStore::options().create_schema().max_connections(3);
    let store = options.timeout(Duration::from_secs(2)).connect(&url).await.unwrap();
    server.sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'absent'");
    server.sql("postgres", "SELECT pg_reload_conf()");
    // It is a moment until all of its processes know.
    let mut number = 100;
    while store.claim(&key(number), &Claim::new(1)).await.is_ok() {
        number += 1;
    }
    for wave in 0..2 {
        let claims = (0..6).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.claim(&key(wave * 6 + number), &Claim::new(1)).await })
        });
        for claim in claims.collect::<Vec<_>>() {
            let claimed = claim.await.unwrap();
            assert!(matches!(claimed, Err(StoreError::Unavailable(_))), "{claimed:?}");
        }
    }
    let used = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'steadfast'";
    assert_eq!(server.sql("postgres", used), "3");
    server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    server.sql("postgres", "SELECT pg_reload_conf()");
    // What was claimed is known again by its owner, and nobody else's.
    let claimed = loop {
        match store.claim(&key(0), &Claim::new(1)).await {
            Err(StoreError::Unavailable(_)) => {}
            claimed => break claimed.unwrap(),
        }
    };
    assert!(matches!(claimed, Claimed::Acquired(acquired) if acquired.attempt == 1), "{claimed:?}");
    assert_eq!(server.sql("postgres", used), "3");
}

#[tokio::test]
async fn an_operator_hears_of_no_restart() {
    let server = Postgres::start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    assert_eq!(store.interrupt(&key(1), token, true).await.unwrap(), Written::Yes);
    server.restart();
    assert!(store.resolve(&key(1), &Resolution::DidNotHappen).await.unwrap());
    server.restart();
    assert_eq!(store.purge().await.unwrap(), 0);
}
