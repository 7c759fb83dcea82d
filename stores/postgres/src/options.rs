use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::{
    error::ConnectError,
    schema::{DEFAULT, Schema},
    store::PostgresStore,
};

/// How a store is connected.
///
/// | setting | default |
/// |---|---|
/// | [`schema`](Self::schema) | `steadfast` |
/// | [`create_schema`](Self::create_schema) | no: it has to be there |
/// | [`max_connections`](Self::max_connections) | 16 |
/// | [`timeout`](Self::timeout) | 5 s |
///
/// # Example: all of them
///
/// ```no_run
/// use std::time::Duration;
/// use steadfast_postgres::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::options()
///     .schema("shop_keys")
///     .create_schema()
///     .max_connections(4)
///     .timeout(Duration::from_secs(2))
///     .connect("postgres://localhost/shop")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    schema: String,
    creates_schema: bool,
    max_connections: usize,
    timeout: Duration,
}

impl Options {
    /// The defaults.
    #[expect(clippy::new_without_default, reason = "PostgresStore::options is the way here")]
    pub fn new() -> Self {
        let timeout = Duration::from_secs(5);
        Self { schema: DEFAULT.into(), creates_schema: false, max_connections: 16, timeout }
    }

    /// Sets in which schema the keys are: `a` to `z`, `_`, and digits after the first, at most 63 in all.
    /// What is none is refused when the store is connected, with [`ConnectError::SchemaName`].
    #[must_use]
    pub fn schema(mut self, name: &str) -> Self {
        self.schema = name.into();
        self
    }

    /// Makes the schema when the store is connected, or brings it up to date. Several processes may do so
    /// at once. It needs the right to create schemas in the database, once.
    ///
    /// Without this, a schema that is not there is [`ConnectError::NoSchema`], and one of an earlier
    /// release [`ConnectError::OlderSchema`].
    #[must_use]
    pub const fn create_schema(mut self) -> Self {
        self.creates_schema = true;
        self
    }

    /// Limits the connections, 1 at least. They are opened when they are needed, and stay open; each is
    /// in use for one round trip at a time.
    #[must_use]
    pub const fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// Limits how long an operation takes, with all that it waits for: one of the connections, a new one,
    /// the answer. What has taken longer has failed with
    /// [`StoreError::Unavailable`](steadfast::idempotent::StoreError::Unavailable), and may have happened.
    ///
    /// A lease is renewed at a third of it: keep this well below that.
    #[must_use]
    pub const fn timeout(mut self, most: Duration) -> Self {
        self.timeout = most;
        self
    }

    /// Connects, and checks that the keys can be kept there.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], as of [`PostgresStore::connect`].
    pub async fn connect(self, url: &str) -> Result<PostgresStore, ConnectError> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            let why = "it begins with `postgres://`";
            return Err(ConnectError::Url(sqlx::Error::Configuration(why.into())));
        }
        let options = url.parse().map_err(ConnectError::Url)?;
        self.connect_with(options).await
    }

    /// Connects as somebody does who uses sqlx: with `pool.connect_options()`, for one.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], as of [`PostgresStore::connect`].
    ///
    /// # Example: to where a pool leads
    ///
    /// ```no_run
    /// use steadfast_postgres::PostgresStore;
    ///
    /// # async fn example(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::options().connect_with((*pool.connect_options()).clone()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect_with(
        self,
        options: PgConnectOptions,
    ) -> Result<PostgresStore, ConnectError> {
        let schema = Schema::new(&self.schema)?;
        PostgresStore::start(
            options,
            schema,
            self.creates_schema,
            self.max_connections,
            self.timeout,
        )
        .await
    }

    /// The SQL that makes the schema, or brings it up to date, for who runs migrations of their own. It
    /// may be run again.
    ///
    /// # Errors
    ///
    /// [`ConnectError::SchemaName`], if the schema's name is none.
    ///
    /// # Example: written to a file
    ///
    /// ```
    /// let sql = steadfast_postgres::PostgresStore::options().schema("shop_keys").migration()?;
    /// assert!(sql.contains("CREATE SCHEMA \"shop_keys\""));
    /// # Ok::<(), steadfast_postgres::ConnectError>(())
    /// ```
    pub fn migration(&self) -> Result<String, ConnectError> {
        Ok(Schema::new(&self.schema)?.migration())
    }
}
