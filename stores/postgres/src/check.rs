//! Whether keys can be kept there: looked at when a store is connected.

use sqlx::{Row, postgres::PgRow};

use crate::{
    connections::{Again, Connections},
    durability::Durability,
    error::ConnectError,
    failure::{Failure, INSUFFICIENT_PRIVILEGE, code},
    schema::{Schema, VERSION},
    statement::Statement,
};

/// What a server is.
pub(crate) struct Server {
    pub(crate) durability: Durability,
    /// Whether a transaction is so, unless it says otherwise.
    pub(crate) is_read_committed: bool,
}

/// Looks at the server, and at the schema, which is made if that is asked for.
pub(crate) async fn check(
    connections: &Connections,
    schema: &Schema,
    creates_schema: bool,
) -> Result<Server, ConnectError> {
    let server = check_server(connections, schema).await?;
    match check_schema(connections, schema).await {
        Err(ConnectError::NoSchema { .. } | ConnectError::OlderSchema { .. }) if creates_schema => {
            migrate(connections, schema).await?;
            check_schema(connections, schema).await?;
        }
        checked => checked?,
    }
    check_rights(connections, schema).await?;
    if !server.durability.survives_a_crash() {
        tracing::warn!("idempotency keys are {}, and those run again", server.durability);
    }
    Ok(server)
}

async fn check_server(connections: &Connections, schema: &Schema) -> Result<Server, ConnectError> {
    let statement = Statement::new().text(
        "SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(), \
         current_setting('transaction_read_only')::boolean, \
         current_setting('synchronous_commit'), current_setting('fsync')::boolean, \
         current_setting('synchronous_standby_names') <> '', \
         current_setting('default_transaction_isolation') = 'read committed'",
    );
    let row = ask(connections, schema, &statement).await?;
    let version = get(&row, 0)?;
    if version < OLDEST_SERVER {
        return Err(ConnectError::ServerVersion(version));
    }
    if get(&row, 1)? {
        return Err(ConnectError::Standby);
    }
    if get(&row, 2)? {
        return Err(ConnectError::ReadOnly);
    }
    let durability = Durability::new(get(&row, 3)?, get(&row, 4)?, get(&row, 5)?);
    Ok(Server { durability, is_read_committed: get(&row, 6)? })
}

async fn check_schema(connections: &Connections, schema: &Schema) -> Result<(), ConnectError> {
    let statement = Statement::new()
        .text("SELECT max(version), max(compatible_from) FROM ")
        .name(schema, "version");
    let row = ask(connections, schema, &statement).await?;
    let name = || schema.name().to_owned();
    let version: Option<i32> = get(&row, 0)?;
    let compatible_from: Option<i32> = get(&row, 1)?;
    let (Some(version), Some(compatible_from)) = (version, compatible_from) else {
        return Err(ConnectError::NoSchema { schema: name() });
    };
    if compatible_from > VERSION {
        return Err(ConnectError::NewerSchema { schema: name(), version });
    }
    if version < VERSION {
        return Err(ConnectError::OlderSchema { schema: name(), version });
    }
    Ok(())
}

async fn check_rights(connections: &Connections, schema: &Schema) -> Result<(), ConnectError> {
    let mut statement = Statement::new().text("SELECT ");
    for (object, kind, right) in RIGHTS {
        statement = statement.text(kind).text("('").name(schema, object).text("', '").text(right);
        statement = statement.text("') AND ");
    }
    let row = ask(connections, schema, &statement.text("true")).await?;
    if get(&row, 0)? {
        return Ok(());
    }
    Err(ConnectError::Rights { schema: schema.name().into(), source: None })
}

async fn migrate(connections: &Connections, schema: &Schema) -> Result<(), ConnectError> {
    let statement = Statement::new()
        // It says of all that is there already that it is. And it is not to keep all others waiting.
        .text("SET LOCAL client_min_messages = warning; SET LOCAL lock_timeout = '2s'; ")
        .migration(schema);
    match connections.ask(&statement, Again::May).await {
        Err(Failure::Server(source)) if code(&source) == Some(INSUFFICIENT_PRIVILEGE) => {
            Err(ConnectError::MayNotCreate { schema: schema.name().into(), source })
        }
        made => made.map(drop).map_err(|failure| failure.of_schema(schema.name())),
    }
}

async fn ask(
    connections: &Connections,
    schema: &Schema,
    statement: &Statement,
) -> Result<PgRow, ConnectError> {
    let rows = connections.ask(statement, Again::May).await;
    let rows = rows.map_err(|failure| failure.of_schema(schema.name()))?;
    rows.into_iter().next().ok_or(ConnectError::Other(sqlx::Error::RowNotFound))
}

fn get<'r, T>(row: &'r PgRow, column: usize) -> Result<T, ConnectError>
where
    T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    row.try_get(column).map_err(ConnectError::Other)
}

const OLDEST_SERVER: i32 = 120_000;

const RIGHTS: [(&str, &str, &str); 7] = [
    ("keys", "has_table_privilege", "SELECT"),
    ("keys", "has_table_privilege", "INSERT"),
    ("keys", "has_table_privilege", "UPDATE"),
    ("keys", "has_table_privilege", "DELETE"),
    ("live", "has_table_privilege", "SELECT"),
    ("tokens", "has_sequence_privilege", "USAGE"),
    // All of them are granted at once.
    ("purge(bigint)", "has_function_privilege", "EXECUTE"),
];
