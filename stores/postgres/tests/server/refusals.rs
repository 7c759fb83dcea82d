//! Why a store could not be connected.

use steadfast::idempotent::{Claim, KeyStore, StoreError};
use steadfast_postgres::{ConnectError, PostgresStore};

use crate::database::{Database, acquire, key};

/// What it says, with what it is.
async fn refused(url: &str, is: fn(&ConnectError) -> bool) -> String {
    let error = PostgresStore::connect(url).await.unwrap_err();
    assert!(is(&error), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_url_that_is_none() {
    for url in ["", "localhost/shop", "postgres://localhost:port/shop"] {
        refused(url, |error| matches!(error, ConnectError::Url(_))).await;
    }
}

#[tokio::test]
async fn a_schema_with_no_name() {
    let options = PostgresStore::options().schema("Shop; DROP TABLE orders");
    let error = options.connect("postgres://localhost/shop").await.unwrap_err();
    assert!(matches!(error, ConnectError::SchemaName(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let says = refused("postgres://127.0.0.1:1/shop", |error| {
        matches!(error, ConnectError::Unreachable(_))
    });
    assert!(says.await.starts_with("the server cannot be reached: "));
}

#[tokio::test]
async fn a_password_that_is_wrong() {
    let database = Database::new();
    drop(database.store().await);
    database.sql("CREATE ROLE guarded LOGIN PASSWORD 'right'");
    let address = database.server().address();
    let url =
        |password: &str| format!("postgres://guarded:{password}@{address}/{}", database.name());
    let is = |error: &ConnectError| matches!(error, ConnectError::Authentication(_));
    let says = refused(&url("wrong"), is).await;
    assert!(says.contains("password authentication failed"), "{says}");
    // Let in, it may still do nothing.
    let is = |error: &ConnectError| matches!(error, ConnectError::Rights { .. });
    refused(&url("right"), is).await;
    database.sql("GRANT USAGE ON SCHEMA steadfast TO guarded");
    refused(&url("right"), is).await;
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA steadfast TO guarded");
    let says = refused(&url("right"), is).await;
    assert!(says.contains("grant it"), "{says}");
    // As the documentation says.
    database.sql(
        "GRANT USAGE ON SCHEMA steadfast TO guarded;
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA steadfast TO guarded;
         GRANT USAGE ON SEQUENCE steadfast.tokens TO guarded",
    );
    let store = PostgresStore::connect(&url("right")).await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    let _ = store.release(&key(1), token).await.unwrap();
    assert_eq!(store.purge().await.unwrap(), 0);
}

#[tokio::test]
async fn a_database_that_is_not_there() {
    let url = Database::new().server().url("nowhere");
    refused(&url, |error| matches!(error, ConnectError::NoDatabase(_))).await;
}

#[tokio::test]
async fn a_schema_that_is_not_there() {
    let database = Database::new();
    let is = |error: &ConnectError| matches!(error, ConnectError::NoSchema { .. });
    let says = refused(&database.url(), is).await;
    assert_eq!(
        says,
        "there is no schema `steadfast` of keys: \
         run its migration, or connect with `create_schema()`"
    );
    // Somebody else's of that name is none either.
    database.sql("CREATE SCHEMA steadfast; CREATE TABLE steadfast.keys (key text)");
    refused(&database.url(), is).await;
}

#[tokio::test]
async fn a_migration_that_is_run_by_hand_and_again() {
    let database = Database::new();
    let migration = PostgresStore::options().migration().unwrap();
    database.sql(&migration);
    let store = PostgresStore::connect(&database.url()).await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    database.sql(&migration);
    assert_eq!(store.look(&key(1)).await.unwrap().unwrap().record.token, token);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_that_many_make_at_once() {
    let database = Database::new();
    let url = database.url();
    let connecting = (0..12).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { PostgresStore::options().create_schema().connect(&url).await })
    });
    for connected in connecting.collect::<Vec<_>>() {
        connected.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_schema_of_another_release() {
    let database = Database::new();
    drop(database.store().await);
    // One that this release gets on with.
    database.sql("INSERT INTO steadfast.version VALUES (2, 1)");
    drop(PostgresStore::connect(&database.url()).await.unwrap());
    // It does not undo what the later one has made.
    let _ = database.clock();
    drop(database.store().await);
    let clock = database.sql("SELECT prosrc FROM pg_proc WHERE proname = 'clock'");
    assert!(clock.contains("offset_of_clock"), "{clock}");

    database.sql("INSERT INTO steadfast.version VALUES (3, 3)");
    let is = |error: &ConnectError| matches!(error, ConnectError::NewerSchema { version: 3, schema } if schema == "steadfast");
    let says = refused(&database.url(), is).await;
    assert!(says.contains("needs a later release"), "{says}");

    database.sql("DELETE FROM steadfast.version; INSERT INTO steadfast.version VALUES (0, 0)");
    let is = |error: &ConnectError| matches!(error, ConnectError::OlderSchema { version: 0, .. });
    let says = refused(&database.url(), is).await;
    assert!(says.contains("run the migration"), "{says}");
    drop(database.store().await);
    drop(PostgresStore::connect(&database.url()).await.unwrap());
}

#[tokio::test]
async fn transactions_that_are_read_only() {
    let database = Database::new();
    let store = database.store().await;
    acquire(&store, 1, 1).await;
    database.set("default_transaction_read_only = on");
    refused(&database.url(), |error| matches!(error, ConnectError::ReadOnly)).await;
    // Who was connected before notices with the next connection, and recovers by itself.
    database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'steadfast' AND datname = current_database()",
    );
    let error = store.claim(&key(2), &Claim::new(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("read-only transaction"), "{error}");
    database.set("default_transaction_read_only = off");
    acquire(&store, 2, 1).await;
}

#[tokio::test]
async fn functions_that_are_not_everybodys() {
    let database = Database::new();
    database.sql("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC");
    drop(database.store().await);
    let role = format!("hardened_{}", database.name());
    database.sql(&format!(
        "CREATE ROLE {role} LOGIN;
         GRANT USAGE ON SCHEMA steadfast TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA steadfast TO {role};
         GRANT USAGE ON SEQUENCE steadfast.tokens TO {role}"
    ));
    let url = database.url().replace("postgres@", &format!("{role}@"));
    let refused = PostgresStore::connect(&url).await;
    assert!(matches!(refused, Err(ConnectError::Rights { .. })), "{refused:?}");
    database.sql(&format!("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA steadfast TO {role}"));
    let store = PostgresStore::connect(&url).await.unwrap();
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn a_schema_that_somebody_else_has_to_make() {
    let database = Database::new();
    let role = format!("maker_{}", database.name());
    database.sql(&format!("CREATE ROLE {role} LOGIN"));
    let url = database.url().replace("postgres@", &format!("{role}@"));
    let create = || PostgresStore::options().create_schema();
    let refused = create().connect(&url).await;
    assert!(matches!(refused, Err(ConnectError::MayNotCreate { .. })), "{refused:?}");
    // It may be empty, and theirs.
    database.sql(&format!("CREATE SCHEMA steadfast AUTHORIZATION {role}"));
    let store = create().connect(&url).await.unwrap();
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn a_migration_waits_for_nobody_who_reads() {
    let database = Database::new();
    let store = database.store().await;
    let mut reader = database.connection().await;
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM steadfast.keys").execute(&mut reader).await.unwrap();
    database.sql(&format!(
        "SET lock_timeout = '5s'; {}",
        PostgresStore::options().migration().unwrap()
    ));
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}
