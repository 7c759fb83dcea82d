//! Figures, to be printed: `cargo test --release -p steadfast-postgres --test rates -- --ignored --nocapture`.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use sqlx::{PgPool, postgres::PgPoolOptions};
use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, Stored};
use steadfast_postgres::PostgresStore;
use steadfast_test_servers::Postgres;

/// What so many callers at once get done in a second.
async fn rate<F>(callers: u64, call: impl Fn(u64) -> F + Clone + Send + 'static) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let calls = (0..callers).map(|caller| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut made = 0;
            while begun.elapsed() < WHILE {
                call(made * callers + caller).await;
                made += 1;
            }
            made
        })
    });
    let mut made = 0;
    for caller in calls.collect::<Vec<_>>() {
        made += caller.await.unwrap();
    }
    made / WHILE.as_secs()
}

/// Claims and completes.
async fn ours(store: PostgresStore, number: u64) {
    let key = Key::new("shop::charge", &number).unwrap();
    let claimed = store.claim(&key, &Claim::new(1)).await.unwrap();
    let Claimed::Acquired(acquired) = claimed else { panic!("{claimed:?}") };
    let result = Stored::of(&format!("{number:0100}"));
    let _ = store.complete(&key, acquired.token, true, result).await.unwrap();
}

async fn replayed(store: PostgresStore) {
    let key = Key::new("shop::charge", &0).unwrap();
    let claimed = store.claim(&key, &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(_)));
}

/// The two statements that guard nothing but the first moment.
async fn bare(pool: PgPool, number: i64) {
    let insert = "INSERT INTO bare (key, state) VALUES ($1, 0) ON CONFLICT (key) DO NOTHING";
    sqlx::query(insert).bind(number).execute(&pool).await.unwrap();
    let update = "UPDATE bare SET state = 1, result = $2 WHERE key = $1";
    let result = format!("{number:0100}");
    sqlx::query(update).bind(number).bind(result).execute(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn beside_a_bare_insert_and_update() {
    let server = Postgres::with(&[("fsync", "on")]);
    let database = server.new_database();
    let url = server.url(&database);
    let store = PostgresStore::options().create_schema().connect(&url).await.unwrap();
    let options = PgPoolOptions::new().max_connections(16).test_before_acquire(false);
    let pool = options.connect(&url).await.unwrap();
    let table = "CREATE TABLE bare (key bigint PRIMARY KEY, state int NOT NULL, result text)";
    sqlx::raw_sql(table).execute(&pool).await.unwrap();
    for callers in [1, 16, 64] {
        for round in 0..4 {
            let (pair, number) = (pool.clone(), (round * 2 + callers) << 32);
            // Both begin with an empty table, that grows.
            server.sql(&database, "TRUNCATE bare, steadfast.keys");
            let bare = rate(callers, move |n| bare(pair.clone(), (number + n).cast_signed())).await;
            let keys = store.clone();
            let ours = rate(callers, move |n| ours(keys.clone(), number + n)).await;
            #[expect(clippy::cast_precision_loss, reason = "a rate is far below")]
            let ratio = ours as f64 / bare as f64;
            println!("{callers} callers: ours {ours}/s, bare {bare}/s: {ratio:.2}");
        }
        let key = Key::new("shop::charge", &0).unwrap();
        if let Claimed::Acquired(acquired) = store.claim(&key, &Claim::new(1)).await.unwrap() {
            let _ = store.complete(&key, acquired.token, true, Stored::of(&1)).await.unwrap();
        }
        let keys = store.clone();
        let replays = rate(callers, move |_| replayed(keys.clone())).await;
        println!("{callers} callers: {replays} replays/s");
    }
}

const WHILE: Duration = Duration::from_secs(3);
