//! A database of its own for each test, in one server for all of them.

use std::{sync::LazyLock, time::Duration};

use sqlx::{Connection, PgConnection};
use steadfast::idempotent::{Acquired, Claim, Claimed, Key, KeyStore, Stored};
use steadfast::testing::StoreClock;
use steadfast_postgres::{Options, PostgresStore};
use steadfast_test_servers::Postgres;

static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

pub(crate) struct Database {
    server: &'static Postgres,
    name: String,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { server: &SERVER, name: SERVER.new_database() }
    }

    pub(crate) fn server(&self) -> &'static Postgres {
        self.server
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        self.server.sql(&self.name, sql)
    }

    /// For the connections of this database that are opened from now on.
    pub(crate) fn set(&self, setting: &str) {
        self.server.sql("postgres", &format!("ALTER DATABASE {} SET {setting}", self.name));
    }

    pub(crate) async fn store(&self) -> PostgresStore {
        self.store_with(PostgresStore::options()).await
    }

    pub(crate) async fn store_with(&self, options: Options) -> PostgresStore {
        options.create_schema().connect(&self.url()).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }

    /// Puts the store's time forward when it is told to.
    pub(crate) fn clock(&self) -> Clock<'_> {
        self.sql(
            "CREATE TABLE offset_of_clock AS SELECT interval '0' AS by;
             CREATE OR REPLACE FUNCTION steadfast.clock() RETURNS timestamptz
             LANGUAGE sql VOLATILE AS $$
                 SELECT clock_timestamp() + o.by FROM public.offset_of_clock AS o
             $$",
        );
        Clock(self)
    }
}

pub(crate) struct Clock<'a>(&'a Database);

impl StoreClock for Clock<'_> {
    fn unit(&self) -> Duration {
        Duration::from_mins(1)
    }

    async fn pass(&self, time: Duration) {
        let micros = time.as_micros();
        self.0.sql(&format!(
            "UPDATE offset_of_clock SET by = by + {micros} * interval '1 microsecond'"
        ));
    }
}

pub(crate) fn key(number: u32) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

pub(crate) fn acquired(claimed: Claimed) -> Acquired {
    match claimed {
        Claimed::Acquired(acquired) => acquired,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn acquire(store: &PostgresStore, number: u32, owner: u128) -> Acquired {
    acquired(store.claim(&key(number), &Claim::new(owner)).await.unwrap())
}

pub(crate) fn json(text: &str) -> Stored {
    Stored::Json(text.as_bytes().into())
}
