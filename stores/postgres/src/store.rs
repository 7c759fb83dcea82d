use std::{fmt, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgRow},
};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, StoreError, Stored, Written,
};

use crate::{
    check::{Server, check},
    connections::{Again, Connections},
    durability::Durability,
    error::ConnectError,
    failure::Failure,
    literals::{claim_literals, complete_literals, of, stored_literals},
    options::Options,
    rows,
    schema::Schema,
    statement::{Literal, Statement},
    sweep::Sweep,
};

/// Keeps keys in a schema of a PostgreSQL database: one round trip for each operation.
///
/// A handle is cheap to clone. Operations have to be polled within a tokio runtime.
///
/// # Cancellation
///
/// A call that is dropped has happened or has not; its connection is closed.
///
/// # Example: a claim that outlives the process
///
/// ```no_run
/// use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, Stored};
/// use steadfast_postgres::PostgresStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://localhost/shop").await?;
/// let key = Key::new("shop::charge", &17)?;
/// let Claimed::Acquired(acquired) = store.claim(&key, &Claim::new(1)).await? else { panic!() };
/// store.complete(&key, acquired.token, true, Stored::of(&"receipt 4711")).await?;
/// assert!(matches!(store.claim(&key, &Claim::new(2)).await?, Claimed::Done(_)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    connections: Connections,
    schema: Schema,
    server: Server,
    sweep: Sweep,
}

impl PostgresStore {
    /// Connects, with the defaults of [`Options`], and checks that the keys can be kept there.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: the server cannot be reached, does not let the user in, is too old, is a standby
    /// or read-only; the schema is not there, is of another release, or may not be used.
    ///
    /// # Cancellation
    ///
    /// Nothing has been changed, but that the schema may have been made.
    ///
    /// # Example: for all functions of the process
    ///
    /// ```no_run
    /// use steadfast::idempotent::Store;
    /// use steadfast_postgres::PostgresStore;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let keys = PostgresStore::connect("postgres://localhost/shop").await?;
    /// steadfast::set_default_store(Store::new(keys))?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Options::new().connect(url).await
    }

    /// Sets options before connecting: [`Options::new`].
    ///
    /// # Example: that makes the schema
    ///
    /// ```no_run
    /// use steadfast_postgres::PostgresStore;
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "postgres://localhost/shop";
    /// let store = PostgresStore::options().create_schema().connect(url).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn options() -> Options {
        Options::new()
    }

    /// What a claim or a result survives, once the caller has heard of it, as the server was set when the
    /// store was connected. With less than the disk of the server, a warning was logged then.
    ///
    /// # Example: a process that would rather not run
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = steadfast_postgres::PostgresStore::connect("postgres://localhost").await?;
    /// assert!(store.durability().survives_a_crash());
    /// # Ok(())
    /// # }
    /// ```
    pub fn durability(&self) -> &Durability {
        &self.0.server.durability
    }

    pub(crate) async fn start(
        options: PgConnectOptions,
        schema: Schema,
        creates_schema: bool,
        max_connections: usize,
        timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let named = options.get_application_name().is_some();
        let options = if named { options } else { options.application_name("steadfast") };
        // What is logged would be keys and results. A pooler would have to be told to let the digits pass.
        let options = options.disable_statement_logging().extra_float_digits(None);
        let connections = Connections::new(options, max_connections, timeout);
        let server = check(&connections, &schema, creates_schema).await?;
        Ok(Self(Arc::new(Inner { connections, schema, server, sweep: Sweep::new() })))
    }

    pub(crate) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.connections.timeout()
    }

    /// Deletes what has expired, beside what the caller is about.
    pub(crate) fn sweep_if_due(&self) {
        if self.0.sweep.is_due() {
            let store = self.clone();
            tokio::spawn(async move {
                if let Err(error) = store.purge_some(AT_ONCE).await {
                    tracing::debug!("expired idempotency keys could not be deleted: {error}");
                }
            });
        }
    }

    /// Calls a function of the schema.
    async fn call(
        &self,
        function: &'static str,
        literals: &[Literal<'_>],
        again: Again,
    ) -> Result<Vec<PgRow>, Failure> {
        let statement = self.statement(Duration::MAX);
        let statement = statement.call("*", &self.0.schema, function, literals);
        self.0.connections.ask(&statement, again).await
    }

    async fn write(
        &self,
        function: &'static str,
        literals: &[Literal<'_>],
    ) -> Result<Written, StoreError> {
        rows::written(&self.call(function, literals, Again::May).await?)
    }

    /// One that waits so long for what is locked, or as long as that its answer comes in time.
    fn statement(&self, lock_wait: Duration) -> Statement {
        let lock_wait = lock_wait.min(self.0.connections.timeout() / 2);
        Statement::with_limits(lock_wait, self.0.server.is_read_committed)
    }

    /// So many, in parts, so that no row is locked for long.
    async fn purge_some(&self, most: u64) -> Result<u64, StoreError> {
        let mut purged = 0;
        loop {
            let some = self.call("purge", &[Literal::Number(AT_A_TIME)], Again::May).await?;
            let some = rows::purged(&some)?;
            purged += some;
            if some < AT_A_TIME.unsigned_abs() || purged >= most {
                return Ok(purged);
            }
        }
    }

    async fn claim_now(&self, key: &Key, claim: &Claim) -> Result<Claimed, StoreError> {
        let key = key.to_bytes();
        let statement = self.statement(LOCK_WAIT).call(
            rows::CLAIMED,
            &self.0.schema,
            "claim",
            &claim_literals(&key, &claim.owner.to_be_bytes(), claim),
        );
        let claimed = rows::claimed(&self.0.connections.ask(&statement, Again::May).await?)?;
        self.sweep_if_due();
        Ok(claimed)
    }
}

impl KeyStore for PostgresStore {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        Reply::later(self.claim_now(key, claim))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            self.write("renew", &[Literal::Bytes(&key), of(token), Literal::Span(lease)]).await
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            self.write("complete", &complete_literals(&key, token, succeeded, &result)).await
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            self.write("release", &[Literal::Bytes(&key), of(token)]).await
        })
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            self.write("interrupt", &[Literal::Bytes(&key), of(token), Literal::Truth(ran)]).await
        })
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        Reply::later(async move {
            let key = key.to_bytes();
            let statement = select(rows::RECORD, &self.0.schema)
                .text(" WHERE key = ")
                .literal(Literal::Bytes(&key));
            Ok(rows::found(&self.0.connections.ask(&statement, Again::May).await?)?.pop())
        })
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        Reply::later(async move {
            let after = after.map_or_else(Vec::new, Key::to_bytes);
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let statement = select(rows::RECORD, &self.0.schema)
                .text(" WHERE is_interrupted AND key > ")
                .literal(Literal::Bytes(&after))
                .text(" ORDER BY key LIMIT ")
                .literal(Literal::Number(limit));
            rows::found(&self.0.connections.ask(&statement, Again::May).await?)
        })
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        Reply::later(async move {
            let key = key.to_bytes();
            let (outcome, [result, size]) = match resolution {
                Resolution::DidNotHappen => ("did not happen", [Literal::Null, Literal::Null]),
                Resolution::Done(stored) => ("done", stored_literals(stored)),
                Resolution::Failed(stored) => ("failed", stored_literals(stored)),
            };
            let literals = [Literal::Bytes(&key), Literal::Word(outcome), result, size];
            // Once more, it would answer that there is nothing to resolve.
            rows::truth(&self.call("resolve", &literals, Again::MayNot).await?)
        })
    }

    fn count(&self) -> Reply<'_, Counts> {
        Reply::later(async move {
            let statement = select(rows::COUNTS, &self.0.schema);
            rows::counts(&self.0.connections.ask(&statement, Again::May).await?)
        })
    }

    fn purge(&self) -> Reply<'_, u64> {
        Reply::later(self.purge_some(u64::MAX))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.0.schema.name())
            .field("connections", &self.0.connections)
            .field("durability", &self.0.server.durability)
            .finish_non_exhaustive()
    }
}

/// From what has not expired.
fn select(columns: &'static str, schema: &Schema) -> Statement {
    Statement::new().text("SELECT ").text(columns).text(" FROM ").name(schema, "live")
}

/// How long a claim waits for another that is being written. That takes no longer than a commit, unless
/// it is in somebody's transaction or the server is stuck: and then the connection is needed for other things.
const LOCK_WAIT: Duration = Duration::from_millis(250);

/// Expired keys that one statement deletes.
const AT_A_TIME: i64 = 1_000;

/// Those that a claim sees to. While some old transaction is open, all that have been deleted since are gone
/// through again by each statement.
const AT_ONCE: u64 = 50_000;
