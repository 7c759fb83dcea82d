//! Keys in the caller's own transaction.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use steadfast::idempotent::{
    Acquired, Claim, Claimed, KeyStore, State, StoreError, Stored, TransactionStore, Written,
};
use steadfast_postgres::{NotInTransaction, PostgresStore};
use steadfast_test_servers::Proxy;

use crate::database::{Database, acquire, acquired, json, key};

/// A database with something that a body does.
async fn shop() -> (Database, PostgresStore) {
    let database = Database::new();
    let store = database.store().await;
    database.sql("CREATE TABLE orders (id integer PRIMARY KEY)");
    (database, store)
}

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn begin(database: &Database) -> PgConnection {
    let mut connection = database.connection().await;
    run(&mut connection, "BEGIN").await;
    connection
}

async fn claim_in(
    store: &PostgresStore,
    connection: &mut PgConnection,
    number: u32,
    owner: u128,
) -> Claimed {
    store.claim_in(connection, &key(number), &Claim::new(owner), LONG).await.unwrap()
}

async fn acquire_in(
    store: &PostgresStore,
    connection: &mut PgConnection,
    number: u32,
    owner: u128,
) -> Acquired {
    acquired(claim_in(store, connection, number, owner).await)
}

async fn succeed_in(store: &PostgresStore, connection: &mut PgConnection, number: u32, token: u64) {
    let done = store.complete_in(connection, &key(number), token, true, json("17")).await.unwrap();
    assert_eq!(done, Written::Yes);
}

fn orders(database: &Database) -> String {
    database.sql("SELECT count(*) FROM orders")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_16_at_once_one_has_an_effect_though_another_was_rolled_back() {
    static HAS_FAILED: AtomicBool = AtomicBool::new(false);

    let (database, store) = shop().await;
    database.sql("CREATE TABLE effects (owner integer)");
    let tasks = (0..16_u32).map(|owner| {
        let (store, url) = (store.clone(), database.url());
        tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut tx = connection.begin().await.unwrap();
            let claimed = claim_in(&store, &mut tx, 1, owner.into()).await;
            let Claimed::Acquired(acquired) = claimed else {
                tx.commit().await.unwrap();
                assert!(matches!(claimed, Claimed::Done(_)), "{claimed:?}");
                return "replayed";
            };
            run(&mut tx, &format!("INSERT INTO effects VALUES ({owner})")).await;
            succeed_in(&store, &mut tx, 1, acquired.token).await;
            if !HAS_FAILED.swap(true, Ordering::Relaxed) {
                tx.rollback().await.unwrap();
                return "rolled back";
            }
            tx.commit().await.unwrap();
            "committed"
        })
    });
    let mut outcomes = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        outcomes.push(task.await.unwrap());
    }
    let count = |outcome| outcomes.iter().filter(|is| **is == outcome).count();
    let counts = (count("rolled back"), count("committed"), count("replayed"));
    assert_eq!(counts, (1, 1, 14), "{outcomes:?}");
    assert_eq!(database.sql("SELECT count(*) FROM effects"), "1");
}

#[tokio::test]
async fn a_result_is_replayed_in_a_later_transaction() {
    let (database, store) = shop().await;
    let mut tx = begin(&database).await;
    let token = acquire_in(&store, &mut tx, 1, 1).await.token;
    run(&mut tx, "INSERT INTO orders VALUES (1)").await;
    succeed_in(&store, &mut tx, 1, token).await;
    run(&mut tx, "COMMIT").await;

    run(&mut tx, "BEGIN").await;
    let replay = claim_in(&store, &mut tx, 1, 2).await;
    assert!(matches!(&replay, Claimed::Done(result) if *result == json("17")), "{replay:?}");
    run(&mut tx, "INSERT INTO orders VALUES (2); COMMIT").await;
    assert_eq!(orders(&database), "2");
    // As for who claims it without a transaction.
    let replay = store.claim(&key(1), &Claim::new(3)).await.unwrap();
    assert!(matches!(replay, Claimed::Done(_)), "{replay:?}");
}

#[tokio::test]
async fn a_rolled_back_transaction_leaves_nothing() {
    let (database, store) = shop().await;
    let mut tx = begin(&database).await;
    let first = acquire_in(&store, &mut tx, 1, 1).await;
    run(&mut tx, "INSERT INTO orders VALUES (1)").await;
    succeed_in(&store, &mut tx, 1, first.token).await;
    run(&mut tx, "ROLLBACK").await;
    assert_eq!(orders(&database), "0");
    assert_eq!(store.look(&key(1)).await.unwrap(), None);
    let next = acquire(&store, 1, 2).await;
    assert_eq!(next.attempt, 1);
    assert!(next.token > first.token, "a fence that rises all the same");
}

#[tokio::test]
async fn a_body_that_has_failed_is_undone_and_what_was_before_is_not() {
    let (database, store) = shop().await;
    for aborts in [false, true] {
        let mut tx = begin(&database).await;
        let before = if aborts { 11 } else { 10 };
        run(&mut tx, &format!("INSERT INTO orders VALUES ({before})")).await;
        let token = acquire_in(&store, &mut tx, before, 1).await.token;
        run(&mut tx, "INSERT INTO orders VALUES (1)").await;
        if aborts {
            let twice = tx.execute("INSERT INTO orders VALUES (1)").await.unwrap_err();
            let says = twice.as_database_error().unwrap().code().unwrap().into_owned();
            assert_eq!(says, "23505");
            // The server does nothing more for this transaction.
            assert!(tx.execute("SELECT 1").await.is_err());
        }
        let undone = store.undo_in(&mut tx, &key(before), token).await.unwrap();
        assert_eq!(undone, Written::Yes);
        run(&mut tx, "COMMIT").await;
        let found = store.look(&key(before)).await.unwrap().unwrap();
        assert_eq!(found.record.state, State::Released);
        let next = acquire(&store, before, 2).await;
        assert_eq!((next.attempt, next.took_over), (2, false));
    }
    assert_eq!(database.sql("SELECT string_agg(id::text, ',' ORDER BY id) FROM orders"), "10,11");
}

#[tokio::test]
async fn of_a_failure_for_good_only_the_error_remains() {
    let (database, store) = shop().await;
    for aborts in [false, true] {
        let number = aborts.into();
        let mut tx = begin(&database).await;
        let token = acquire_in(&store, &mut tx, number, 1).await.token;
        run(&mut tx, "INSERT INTO orders VALUES (1)").await;
        if aborts {
            tx.execute("INSERT INTO orders VALUES (1)").await.unwrap_err();
        }
        let declined = Stored::of("card declined");
        let failed = store.complete_in(&mut tx, &key(number), token, false, declined.clone()).await;
        assert_eq!(failed.unwrap(), Written::Yes);
        run(&mut tx, "COMMIT").await;
        let replay = store.claim(&key(number), &Claim::new(2)).await.unwrap();
        assert!(matches!(&replay, Claimed::Failed(error) if *error == declined), "{replay:?}");
    }
    assert_eq!(orders(&database), "0");
}

#[tokio::test]
async fn who_comes_meanwhile_waits_until_it_is_committed_or_rolled_back() {
    let (database, store) = shop().await;
    for ends in ["COMMIT", "ROLLBACK"] {
        let number = u32::from(ends == "COMMIT");
        let mut first = begin(&database).await;
        let token = acquire_in(&store, &mut first, number, 1).await.token;
        let mut second = begin(&database).await;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { (claim_in(&store, &mut second, number, 2).await, second) }
        });
        // It waits where the server says that it does.
        let waits = "SELECT count(*) FROM pg_stat_activity
                     WHERE wait_event_type = 'Lock' AND datname = current_database()";
        while database.sql(waits) != "1" {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        succeed_in(&store, &mut first, number, token).await;
        run(&mut first, ends).await;
        let (claimed, mut second) = waiting.await.unwrap();
        match (ends, claimed) {
            ("COMMIT", Claimed::Done(result)) => assert_eq!(result, json("17")),
            ("ROLLBACK", Claimed::Acquired(acquired)) => {
                assert_eq!(acquired.attempt, 1);
                succeed_in(&store, &mut second, number, acquired.token).await;
            }
            (_, other) => panic!("{ends}: {other:?}"),
        }
        run(&mut second, "COMMIT").await;
    }
}

#[tokio::test]
async fn who_waits_in_vain_goes_on() {
    let (database, store) = shop().await;
    let mut first = begin(&database).await;
    let token = acquire_in(&store, &mut first, 1, 1).await.token;
    let mut second = begin(&database).await;
    run(&mut second, "SET LOCAL lock_timeout = '7s'; INSERT INTO orders VALUES (1)").await;
    let claim = Claim::new(2);
    let claimed = store.claim_in(&mut second, &key(1), &claim, Duration::ZERO).await.unwrap();
    assert!(
        matches!(claimed, Claimed::InProgress { remaining, .. } if remaining == claim.lease),
        "{claimed:?}"
    );
    let row = second.fetch_one("SHOW lock_timeout").await.unwrap();
    assert_eq!(row.get::<String, _>(0), "7s");
    acquire_in(&store, &mut second, 2, 2).await;
    // As the caller has set it, whatever has come of the claim.
    let row = second.fetch_one("SHOW lock_timeout").await.unwrap();
    assert_eq!(row.get::<String, _>(0), "7s");
    run(&mut second, "INSERT INTO orders VALUES (2); COMMIT").await;
    assert_eq!(orders(&database), "2");
    // Nor does who has no transaction wait for long, with one of the store's connections.
    let claimed = store.claim(&key(1), &Claim::new(3)).await;
    assert!(matches!(claimed, Err(StoreError::Unavailable(_))), "{claimed:?}");
    succeed_in(&store, &mut first, 1, token).await;
    run(&mut first, "COMMIT").await;
    assert!(matches!(store.claim(&key(1), &Claim::new(3)).await.unwrap(), Claimed::Done(_)));
}

#[tokio::test]
async fn the_savepoint_is_gone_when_the_key_is_not_the_callers() {
    let (database, store) = shop().await;
    let token = acquire(&store, 1, 1).await.token;
    let _ = store.complete(&key(1), token, true, json("17")).await.unwrap();
    let mut tx = begin(&database).await;
    assert!(matches!(claim_in(&store, &mut tx, 1, 2).await, Claimed::Done(_)));
    let undone = store.undo_in(&mut tx, &key(1), token).await.unwrap_err();
    assert!(undone.to_string().contains("does not exist"), "{undone}");
}

#[tokio::test]
async fn keys_within_keys() {
    let (database, store) = shop().await;
    let mut tx = begin(&database).await;
    let outer = acquire_in(&store, &mut tx, 1, 1).await.token;
    run(&mut tx, "INSERT INTO orders VALUES (1)").await;
    let inner = acquire_in(&store, &mut tx, 2, 1).await.token;
    run(&mut tx, "INSERT INTO orders VALUES (2)").await;
    assert_eq!(store.undo_in(&mut tx, &key(2), inner).await.unwrap(), Written::Yes);
    succeed_in(&store, &mut tx, 1, outer).await;
    run(&mut tx, "COMMIT").await;
    assert_eq!(database.sql("SELECT id FROM orders"), "1");
    assert_eq!(acquire(&store, 2, 2).await.attempt, 2);
}

#[tokio::test]
async fn without_a_transaction_nothing_is_claimed() {
    let (database, store) = shop().await;
    let mut connection = database.connection().await;
    let error = store.claim_in(&mut connection, &key(1), &Claim::new(1), LONG).await.unwrap_err();
    let StoreError::Unavailable(why) = &error else { panic!("{error:?}") };
    assert!(why.is::<NotInTransaction>(), "{why:?}");
    assert!(error.to_string().contains("begin one"), "{error}");
    assert_eq!(store.look(&key(1)).await.unwrap(), None);
    // The connection is as good as before.
    run(&mut connection, "BEGIN").await;
    assert_eq!(acquire_in(&store, &mut connection, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_is_refused() {
    let (database, store) = shop().await;
    let mut tx = database.connection().await;
    run(&mut tx, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM orders").await;
    acquire(&store, 1, 1).await;
    let error = store.claim_in(&mut tx, &key(1), &Claim::new(2), LONG).await.unwrap_err();
    let StoreError::Unavailable(why) = &error else { panic!("{error:?}") };
    let why = why.downcast_ref::<sqlx::Error>().unwrap();
    assert_eq!(why.as_database_error().unwrap().code().unwrap(), "40001");
}

#[tokio::test]
async fn committed_halfway_it_is_in_progress_and_then_interrupted() {
    let (database, store) = shop().await;
    let mut tx = begin(&database).await;
    acquire_in(&store, &mut tx, 1, 1).await;
    run(&mut tx, "COMMIT").await;
    let next = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert!(matches!(next, Claimed::InProgress { .. }), "{next:?}");
    database.sql("UPDATE steadfast.keys SET lease_until = now()");
    let next = store.claim(&key(1), &Claim::new(2).max_interruptions(0)).await.unwrap();
    assert!(matches!(next, Claimed::Interrupted { interruptions: 1, .. }), "{next:?}");
}

/// A lease that was counted from the begin of the transaction might be over when it is claimed.
#[tokio::test]
async fn the_time_goes_on_within_a_transaction() {
    let (database, _) = shop().await;
    let mut tx = begin(&database).await;
    let row = tx.fetch_one("SELECT now() < steadfast.clock()").await.unwrap();
    assert!(row.get::<bool, _>(0));
}

#[tokio::test]
async fn each_is_one_round_trip() {
    let (database, store) = shop().await;
    let proxy = Proxy::before(database.server().address());
    let url = format!("postgres://postgres@{}/{}", proxy.address(), database.name());
    let mut tx = PgConnection::connect(&url).await.unwrap();
    run(&mut tx, "BEGIN").await;
    let mut before = proxy.round_trips();
    let mut count = |what| {
        let trips = proxy.round_trips() - before;
        before += trips;
        assert_eq!(trips, 1, "{what}");
    };
    let token = acquire_in(&store, &mut tx, 1, 1).await.token;
    count("claim_in");
    succeed_in(&store, &mut tx, 1, token).await;
    count("complete_in");
    let token = acquire_in(&store, &mut tx, 2, 1).await.token;
    count("claim_in");
    let undone = store.undo_in(&mut tx, &key(2), token).await.unwrap();
    assert_eq!(undone, Written::Yes);
    count("undo_in");
    let token = acquire_in(&store, &mut tx, 3, 1).await.token;
    count("claim_in");
    let failed = store.complete_in(&mut tx, &key(3), token, false, json("1")).await.unwrap();
    assert_eq!(failed, Written::Yes);
    count("complete_in, of a failure");
}

#[tokio::test]
async fn a_superseded_owner_is_told() {
    let (database, store) = shop().await;
    let mut tx = begin(&database).await;
    let token = acquire_in(&store, &mut tx, 1, 1).await.token;
    let late = store.complete_in(&mut tx, &key(1), token - 1, true, json("17")).await.unwrap();
    assert_eq!(late, Written::LeaseLost);
}

/// Longer than any of it takes.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_statement_that_may_not_take_long_does_not_fail_by_waiting() {
    let (database, store) = shop().await;
    let mut first = begin(&database).await;
    acquire_in(&store, &mut first, 1, 1).await;
    let mut second = begin(&database).await;
    run(&mut second, "SET LOCAL statement_timeout = '400ms'").await;
    let claimed = claim_in(&store, &mut second, 1, 2).await;
    assert!(matches!(claimed, Claimed::InProgress { .. }), "{claimed:?}");
    acquire_in(&store, &mut second, 2, 2).await;
}

#[tokio::test]
async fn a_connection_that_is_busy_is_not_waited_for_without_end() {
    let (database, store) = shop().await;
    let url = database.url();
    let options = PostgresStore::options().timeout(Duration::from_secs(2));
    let hurried = options.connect(&url).await.unwrap();
    let mut connection = begin(&database).await;
    let token = acquire_in(&store, &mut connection, 1, 1).await.token;
    // What the body has given up on.
    let sleep = connection.execute("SELECT pg_sleep(60)");
    assert!(tokio::time::timeout(Duration::from_millis(100), sleep).await.is_err());
    let undone = hurried.undo_in(&mut connection, &key(1), token).await;
    assert!(matches!(undone, Err(StoreError::Unavailable(_))), "{undone:?}");
}
