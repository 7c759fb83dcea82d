use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use steadfast::{
    idempotent::{Claim, KeyStore, Resolution, Store, Stored, Written},
    testing::{StoreClock, store_contract},
};
use steadfast_postgres::PostgresStore;

use crate::database::{Database, acquire, acquired, json, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_laws_of_all_stores() {
    let database = Database::new();
    let store = Store::new(database.store().await);
    store_contract(&store, &database.clock()).await;
}

/// A word of SQL for a name, and all that a database can be set to that changes what text means.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_them_whatever_the_database_is_set_to() {
    let database = Database::new();
    for setting in [
        "default_transaction_isolation = 'serializable'",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
        "backslash_quote = on",
        "intervalstyle = 'sql_standard'",
        "search_path = ''",
        "extra_float_digits = -15",
        "statement_timeout = '20s'",
    ] {
        database.set(setting);
    }
    let store = database.store_with(PostgresStore::options().schema("select")).await;
    // Nothing of the other schema is there to be used by mistake.
    assert_eq!(database.sql("SELECT to_regnamespace('steadfast') IS NULL"), "t");
    database.sql(
        "CREATE TABLE public.offset_of_clock AS SELECT interval '0' AS by;
         CREATE OR REPLACE FUNCTION \"select\".clock() RETURNS timestamptz
         LANGUAGE sql VOLATILE AS $$
             SELECT clock_timestamp() + o.by FROM public.offset_of_clock AS o
         $$",
    );
    store_contract(&Store::new(store), &OtherClock(&database)).await;
}

struct OtherClock<'a>(&'a Database);

impl StoreClock for OtherClock<'_> {
    fn unit(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn pass(&self, time: Duration) {
        let micros = time.as_micros();
        self.0.sql(&format!(
            "UPDATE public.offset_of_clock SET by = by + {micros} * interval '1 microsecond'"
        ));
    }
}

#[tokio::test]
async fn an_annotated_function_runs_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[steadfast::idempotent(key = order, store = store)]
    async fn charge(store: &Store, order: u64) -> Result<u32, steadfast::Error> {
        tokio::task::yield_now().await;
        Ok(RUNS.fetch_add(1, Ordering::Relaxed))
    }

    let database = Database::new();
    let store = Store::new(database.store().await);
    let charges = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { charge(&store, 17).await.unwrap() })
    });
    for charge in charges.collect::<Vec<_>>() {
        assert_eq!(charge.await.unwrap(), 0);
    }
    let other = Store::new(database.store().await);
    assert_eq!(charge(&other, 17).await.unwrap(), 0);
    assert_eq!(charge(&other, 18).await.unwrap(), 1);
}

#[tokio::test]
async fn a_replay_takes_no_token_and_writes_nothing() {
    let database = Database::new();
    let store = database.store().await;
    let token = acquire(&store, 1, 1).await.token;
    let running = database.sql("SELECT xmin, ctid, token FROM steadfast.keys");
    for owner in 2..5 {
        drop(store.claim(&key(1), &Claim::new(owner)).await.unwrap());
    }
    assert_eq!(database.sql("SELECT xmin, ctid, token FROM steadfast.keys"), running);
    let written = store.complete(&key(1), token, true, json("17")).await.unwrap();
    assert_eq!(written, Written::Yes);
    let done = database.sql("SELECT xmin, ctid, token FROM steadfast.keys");
    for owner in 2..5 {
        drop(store.claim(&key(1), &Claim::new(owner)).await.unwrap());
    }
    assert_eq!(database.sql("SELECT xmin, ctid, token FROM steadfast.keys"), done);
    assert_eq!(database.sql("SELECT last_value FROM steadfast.tokens"), token.to_string());
}

#[tokio::test]
async fn times_and_sizes_that_are_too_long_are_no_mistake() {
    let store = Database::new().store().await;
    let claim = Claim::new(1).lease(Duration::MAX).ttl(Duration::MAX).max_interruptions(u32::MAX);
    let token = acquired(store.claim(&key(1), &claim).await.unwrap()).token;
    assert_eq!(store.renew(&key(1), u64::MAX, Duration::MAX).await.unwrap(), Written::LeaseLost);
    assert_eq!(store.renew(&key(1), token, Duration::MAX).await.unwrap(), Written::Yes);
    let huge = Stored::TooLarge { size: u64::MAX };
    assert_eq!(store.complete(&key(1), token, true, huge).await.unwrap(), Written::Yes);
    assert_eq!(store.count().await.unwrap().done, 1);
    assert!(store.interrupted(None, usize::MAX).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_operator_resolves_at_psql() {
    let database = Database::new();
    let store = database.store().await;
    let token = acquire(&store, 1, 1).await.token;
    let _ = store.interrupt(&key(1), token, true).await.unwrap();
    let listed = database
        .sql("SELECT encode(key, 'escape'), attempts FROM steadfast.live WHERE is_interrupted");
    assert!(listed.contains("shop::charge"), "{listed}");
    let resolved = database.sql(
        "SELECT steadfast.resolve(key, 'done', convert_to('\"receipt\"', 'UTF8'))
         FROM steadfast.live WHERE is_interrupted",
    );
    assert_eq!(resolved, "t");
    let again = store.resolve(&key(1), &Resolution::DidNotHappen).await.unwrap();
    assert!(!again, "it is resolved");
    let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert_eq!(format!("{claimed:?}"), format!("Done({:?})", Stored::of("receipt")));
}
