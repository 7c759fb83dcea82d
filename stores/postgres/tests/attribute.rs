//! `#[idempotent]` over PostgreSQL, as its users write it.

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU32, Ordering},
};

use sqlx::{Connection, PgConnection, PgPool, Postgres as Sql, Transaction, raw_sql};
use steadfast::idempotent::{Store, current, marked};
use steadfast_postgres::PostgresStore;
use steadfast_test_servers::Postgres;
use tokio::{sync::Barrier, task::JoinSet};

static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error(transparent)]
    Refused(#[from] steadfast::Error),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

impl steadfast::Fault for ShopError {
    fn class(&self) -> steadfast::fault::Class {
        steadfast::fault::Class::Permanent
    }
}

/// A shop with a table of orders, in a database of its own.
async fn shop() -> (PgPool, PostgresStore) {
    let url = SERVER.url(&SERVER.new_database());
    let pool = PgPool::connect(&url).await.unwrap();
    raw_sql("CREATE TABLE orders (id bigint, amount bigint CHECK (amount > 0))")
        .execute(&pool)
        .await
        .unwrap();
    (pool, PostgresStore::options().create_schema().connect(&url).await.unwrap())
}

async fn orders(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM orders").fetch_one(pool).await.unwrap()
}

#[steadfast::idempotent(key = order, fingerprint = amount, tx = tx, store = keys, wait = "20s")]
async fn place(
    tx: &mut Transaction<'_, Sql>,
    keys: &PostgresStore,
    order: i64,
    amount: i64,
) -> Result<String, ShopError> {
    sqlx::query("INSERT INTO orders VALUES ($1, $2)")
        .bind(order)
        .bind(amount)
        .execute(&mut **tx)
        .await?;
    Ok(format!("order {order}, {amount}, {}", current().attempt()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_at_once_have_one_effect() {
    let (pool, keys) = shop().await;
    let (taken_back, all) = (Arc::new(AtomicU32::new(0)), Arc::new(Barrier::new(16)));
    let mut calls = JoinSet::new();
    for call in 0..16 {
        let (pool, keys) = (pool.clone(), keys.clone());
        let (taken_back, all) = (Arc::clone(&taken_back), Arc::clone(&all));
        calls.spawn(async move {
            all.wait().await;
            let mut tx = pool.begin().await.unwrap();
            let (placed, replayed) = marked(place(&mut tx, &keys, 7, 10)).await;
            let placed = placed.unwrap();
            // Whoever runs it first takes it back.
            if replayed == Some(false) && taken_back.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.rollback().await.unwrap();
                return None;
            }
            tx.commit().await.unwrap();
            let _ = call;
            Some((placed, replayed))
        });
    }
    let answers: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    assert_eq!(answers.len(), 15);
    let runs = answers.iter().filter(|(_, replayed)| *replayed == Some(false)).count();
    assert_eq!(runs, 1, "{answers:?}");
    assert!(answers.iter().all(|(placed, _)| *placed == answers[0].0), "{answers:?}");
    assert_eq!(orders(&pool).await, 1);
}

#[tokio::test]
async fn an_error_takes_back_what_was_written_and_lets_the_key_go() {
    let (pool, keys) = shop().await;
    let mut tx = pool.begin().await.unwrap();
    raw_sql("INSERT INTO orders VALUES (1, 1)").execute(&mut *tx).await.unwrap();
    // The check of the table fails, and with it the transaction, but for what is taken back.
    assert!(matches!(place(&mut tx, &keys, 7, -1).await, Err(ShopError::Sql(_))));
    tx.commit().await.unwrap();
    assert_eq!(orders(&pool).await, 1);
    let mut tx = pool.begin().await.unwrap();
    assert_eq!(place(&mut tx, &keys, 7, 10).await.unwrap(), "order 7, 10, 2");
    let mismatch = place(&mut tx, &keys, 7, 11).await;
    assert!(matches!(mismatch, Err(ShopError::Refused(steadfast::Error::KeyMismatch { .. }))));
    tx.commit().await.unwrap();
    assert_eq!(orders(&pool).await, 2);
}

#[tokio::test]
async fn a_rival_that_does_not_end_is_in_progress() {
    #[steadfast::idempotent(key = order, tx = conn, store = keys, on_duplicate = "reject")]
    async fn reject(
        conn: &mut PgConnection,
        keys: &PostgresStore,
        order: i64,
    ) -> Result<i64, ShopError> {
        raw_sql("INSERT INTO orders VALUES (1, 1)").execute(conn).await?;
        Ok(order)
    }
    let (pool, keys) = shop().await;
    let (mut first, mut second) = (pool.begin().await.unwrap(), pool.begin().await.unwrap());
    assert_eq!(reject(&mut first, &keys, 7).await.unwrap(), 7);
    let refused = reject(&mut second, &keys, 7).await;
    assert!(matches!(refused, Err(ShopError::Refused(steadfast::Error::InProgress { .. }))));
    // Its transaction goes on.
    assert_eq!(reject(&mut second, &keys, 8).await.unwrap(), 8);
    first.commit().await.unwrap();
    assert_eq!(marked(reject(&mut second, &keys, 7)).await.1, Some(true));
    second.commit().await.unwrap();
    assert_eq!(orders(&pool).await, 2);
}

#[tokio::test]
async fn without_a_transaction_nothing_runs() {
    #[steadfast::idempotent(key = order, tx = conn, store = keys)]
    async fn alone(
        conn: &mut PgConnection,
        keys: &PostgresStore,
        order: i64,
    ) -> Result<i64, ShopError> {
        raw_sql("INSERT INTO orders VALUES (1, 1)").execute(conn).await?;
        Ok(order)
    }
    let (pool, keys) = shop().await;
    let mut conn = pool.acquire().await.unwrap();
    let refused = alone(&mut conn, &keys, 7).await;
    let Err(ShopError::Refused(steadfast::Error::TransactionFailed { .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(orders(&pool).await, 0);
    conn.ping().await.unwrap();
}

#[tokio::test]
async fn a_call_in_no_transaction_is_kept_too() {
    #[steadfast::idempotent(key = order, store = keys, on_interrupted = "fail")]
    async fn ship(keys: &Store, order: i64, runs: &AtomicU32) -> Result<u32, ShopError> {
        Ok(runs.fetch_add(1, Ordering::Relaxed))
    }
    let (_, keys) = shop().await;
    let (keys, runs) = (Store::new(keys), AtomicU32::new(1));
    let (first, second) = tokio::join!(ship(&keys, 7, &runs), ship(&keys, 7, &runs));
    assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
    assert_eq!(ship(&keys, 8, &runs).await.unwrap(), 2);
}
