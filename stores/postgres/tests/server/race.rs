//! Claims that have read the record when it changes: held up where they would write it.

use sqlx::{Connection, Executor, PgConnection, Row};
use steadfast::idempotent::{Claim, KeyStore};
use tokio::task::JoinHandle;

use crate::database::{Database, acquire, key};

/// Claims the key as these owners, while a transaction has the row and does this with it.
async fn race(owners: &[u32], holder_does: &str) -> Vec<String> {
    let database = Database::new();
    let store = database.store().await;
    let token = acquire(&store, 1, 1).await.token;
    database.sql("UPDATE steadfast.keys SET lease_until = now()");
    let mut holder = database.connection().await;
    holder.execute("BEGIN; SELECT FROM steadfast.keys FOR UPDATE").await.unwrap();
    let claims: Vec<JoinHandle<String>> = owners
        .iter()
        .map(|owner| {
            let (url, owner) = (database.url(), *owner);
            tokio::spawn(async move { claim(&url, owner).await })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while database.sql(waiting) != owners.len().to_string() {
        tokio::task::yield_now().await;
    }
    holder.execute(sqlx::AssertSqlSafe(holder_does)).await.unwrap();
    holder.execute("COMMIT").await.unwrap();
    let mut outcomes = Vec::new();
    for claim in claims {
        outcomes.push(claim.await.unwrap());
    }
    outcomes.sort();
    let now = store.look(&key(1)).await.unwrap().unwrap().record;
    assert!(now.token >= token);
    outcomes
}

/// With no limit to how long it waits.
async fn claim(url: &str, owner: u32) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let (lease, ttl) = (Claim::new(1).lease, Claim::new(1).ttl);
    let sql = format!(
        "SELECT outcome FROM steadfast.claim(
            (SELECT key FROM steadfast.keys), decode(lpad(to_hex({owner}), 32, '0'), 'hex'),
            decode(repeat('ff', 32), 'hex'), interval '{} s', interval '{} s', 3
        )",
        lease.as_secs(),
        ttl.as_secs(),
    );
    connection.fetch_one(sqlx::AssertSqlSafe(sql)).await.unwrap().get(0)
}

#[tokio::test]
async fn one_of_those_that_have_seen_a_dead_lease_takes_over() {
    let outcomes = race(&[2, 3, 4, 5, 6, 7, 8, 9], "SELECT 1").await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "acquired").count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "in progress").count(), 7);
}

#[tokio::test]
async fn none_if_the_owner_was_only_late() {
    let done = "SELECT steadfast.complete(key, token, true, '17') FROM steadfast.keys";
    assert_eq!(race(&[2, 3], done).await, ["done", "done"]);
    let renewed = "SELECT steadfast.renew(key, token, interval '30 s') FROM steadfast.keys";
    assert_eq!(race(&[2, 3], renewed).await, ["in progress", "in progress"]);
    let released = "SELECT steadfast.release(key, token) FROM steadfast.keys";
    assert_eq!(race(&[2, 3], released).await, ["acquired", "in progress"]);
}

#[tokio::test]
async fn nor_is_an_owner_told_that_it_holds_what_has_been_taken_over() {
    let taken = "UPDATE steadfast.keys
                 SET owner = decode(repeat('00', 16), 'hex'), token = nextval('steadfast.tokens'),
                     lease_until = now() + interval '30 s'";
    assert_eq!(race(&[1], taken).await, ["in progress"]);
}

#[tokio::test]
async fn nor_is_a_row_believed_in_that_was_purged() {
    let outcomes = race(&[2, 3], "DELETE FROM steadfast.keys").await;
    assert_eq!(outcomes, ["acquired", "in progress"]);
}
