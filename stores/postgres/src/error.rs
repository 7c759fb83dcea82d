use std::{error, fmt};

use crate::schema::VERSION;

/// Why a store could not be connected.
///
/// # Example: nobody listens
///
/// ```
/// use steadfast_postgres::{ConnectError, PostgresStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = PostgresStore::connect("postgres://localhost:1/shop").await.unwrap_err();
/// assert!(matches!(error, ConnectError::Unreachable(_)));
/// # }
/// ```
#[non_exhaustive]
pub enum ConnectError {
    /// The server does not let this user in, or not with this password.
    Authentication(sqlx::Error),
    /// The user may not make the schema, or what is in it.
    MayNotCreate {
        /// The name of the schema.
        schema: String,
        /// What the server has said.
        source: sqlx::Error,
    },
    /// The server has no such database.
    NoDatabase(sqlx::Error),
    /// There is no such schema, or the migration has not been run in it.
    NoSchema {
        /// The name of the schema.
        schema: String,
    },
    /// A later release has made the schema, and says that this one does not get on with it.
    NewerSchema {
        /// The name of the schema.
        schema: String,
        /// Which version it has.
        version: i32,
    },
    /// An earlier release has made the schema.
    OlderSchema {
        /// The name of the schema.
        schema: String,
        /// Which version it has.
        version: i32,
    },
    /// The server has refused something else.
    Other(sqlx::Error),
    /// Transactions are read-only there: `default_transaction_read_only` is on.
    ReadOnly,
    /// The user may not do what is needed.
    Rights {
        /// The name of the schema.
        schema: String,
        /// What the server has said, if it was asked.
        source: Option<sqlx::Error>,
    },
    /// It is no name of a schema.
    SchemaName(String),
    /// The server is too old.
    ServerVersion(i32),
    /// The server is a standby, which nobody can write to.
    Standby,
    /// There is no server, or it does not answer in time.
    Unreachable(Box<dyn error::Error + Send + Sync>),
    /// It is no URL of a database.
    Url(sqlx::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authentication(why) => write!(f, "the server does not let this user in: {why}"),
            Self::MayNotCreate { schema, source } => write!(
                f,
                "the user may not make the schema `{schema}`, or bring it up to date: have its migration \
                 run by who may ({source})"
            ),
            Self::NoDatabase(why) => write!(f, "there is no such database: {why}"),
            Self::NoSchema { schema } => write!(
                f,
                "there is no schema `{schema}` of keys: \
                 run its migration, or connect with `create_schema()`"
            ),
            Self::NewerSchema { schema, version } => write!(
                f,
                "the schema `{schema}` has version {version}, which needs a later release of \
                 steadfast-postgres than this one for {VERSION}"
            ),
            Self::OlderSchema { schema, version } => write!(
                f,
                "the schema `{schema}` has version {version}, and {VERSION} is needed: \
                 run the migration, or connect with `create_schema()`"
            ),
            Self::Other(why) => write!(f, "the server refuses: {why}"),
            Self::ReadOnly => f.write_str(
                "transactions are read-only there: \
                 turn off `default_transaction_read_only` for this user",
            ),
            Self::Rights { schema, source } => {
                write!(
                    f,
                    "the user may not use the schema `{schema}`: \
                     grant it what the documentation of steadfast-postgres lists"
                )?;
                source.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
            }
            Self::SchemaName(name) => write!(
                f,
                "`{name}` is no name of a schema: it takes `a` to `z`, `_`, digits after the \
                 first, at most 63 of them, and not `pg_` to begin with"
            ),
            Self::ServerVersion(version) => write!(
                f,
                "the server is PostgreSQL {}, and 12 is needed at least",
                version / 10_000
            ),
            Self::Standby => {
                f.write_str("the server is a standby: connect to the primary, and by its name")
            }
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Url(why) => write!(
                f,
                "it is no URL of a database, such as `postgres://user@host/database`: {why}"
            ),
        }
    }
}

/// As it is displayed: a `main` that returns it shows it so.
impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Authentication(why)
            | Self::NoDatabase(why)
            | Self::Other(why)
            | Self::MayNotCreate { source: why, .. }
            | Self::Rights { source: Some(why), .. }
            | Self::Url(why) => Some(why),
            Self::Unreachable(why) => Some(&**why),
            Self::NoSchema { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::ReadOnly
            | Self::Rights { source: None, .. }
            | Self::SchemaName(_)
            | Self::ServerVersion(_)
            | Self::Standby => None,
        }
    }
}
