//! Why the server has given no answer, and what is to be done about it.

use std::error;

use sqlx::{
    error::DatabaseError,
    postgres::{PgDatabaseError, PgSeverity},
};
use steadfast::idempotent::StoreError;

use crate::error::ConnectError;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Server(sqlx::Error),
    TimedOut,
}

impl Failure {
    /// What the server has said, as `PostgreSQL` numbers it.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => code(error),
            Self::TimedOut => None,
        }
    }

    /// Why the store named could not be connected.
    pub(crate) fn of_schema(self, schema: &str) -> ConnectError {
        let schema = schema.to_owned();
        let code = self.code().unwrap_or_default().to_owned();
        match self {
            Self::TimedOut => ConnectError::Unreachable(self.into_source()),
            Self::Server(error @ sqlx::Error::Configuration(_)) => ConnectError::Url(error),
            Self::Server(error) => match &*code {
                "3D000" => ConnectError::NoDatabase(error),
                "3F000" | "42P01" => ConnectError::NoSchema { schema },
                INSUFFICIENT_PRIVILEGE => ConnectError::Rights { schema, source: Some(error) },
                "25006" => ConnectError::ReadOnly,
                // It starts, or ends.
                "57P01" | "57P02" | "57P03" => ConnectError::Unreachable(error.into()),
                code if code.starts_with("28") => ConnectError::Authentication(error),
                "" => ConnectError::Unreachable(error.into()),
                _ => ConnectError::Other(error),
            },
        }
    }

    fn into_source(self) -> Box<dyn error::Error + Send + Sync> {
        match self {
            Self::Server(error) => error.into(),
            Self::TimedOut => "it has not answered in time".into(),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure.code() {
            Some(DISK_FULL) => Self::Full,
            _ => Self::unavailable(failure.into_source()),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Server(error)
    }
}

pub(crate) fn code(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(postgres).map(PgDatabaseError::code)
}

/// Whether a connection has come to its end, or is to: it leads to a server that nobody can write to.
pub(crate) fn ends_connection(error: &sqlx::Error) -> bool {
    match error.as_database_error().and_then(postgres) {
        Some(error) => error.severity() != PgSeverity::Error || error.code() == READ_ONLY,
        None => true,
    }
}

fn postgres(error: &dyn DatabaseError) -> Option<&PgDatabaseError> {
    error.try_downcast_ref()
}

pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";
const DISK_FULL: &str = "53100";
const READ_ONLY: &str = "25006";
