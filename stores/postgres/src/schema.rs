//! The schema in which the table and the functions are, by its name.

use std::fmt;

use crate::error::ConnectError;

/// A name that was found to be one, in quotes: it may be a word of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schema(String);

impl Schema {
    pub(crate) fn new(name: &str) -> Result<Self, ConnectError> {
        let is_start = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        let is_name = name.as_bytes().first().is_some_and(is_start)
            && name.bytes().all(|byte| is_start(&byte) || byte.is_ascii_digit())
            && name.len() <= LONGEST
            // What begins so is the server's own.
            && !name.starts_with("pg_");
        if is_name { Ok(Self(name.into())) } else { Err(ConnectError::SchemaName(name.into())) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// The SQL that makes it, or brings it up to date.
    pub(crate) fn migration(&self) -> String {
        if self.0 == DEFAULT {
            return MIGRATION.into();
        }
        MIGRATION.replace(DEFAULT, &self.to_string())
    }
}

/// As it stands in SQL.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// What this release needs, and makes.
pub(crate) const VERSION: i32 = 1;

pub(crate) const DEFAULT: &str = "steadfast";

const MIGRATION: &str = include_str!("migration.sql");

/// PostgreSQL cuts off what is longer.
const LONGEST: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one() {
        for name in ["steadfast", "_", "shop_2", "select", &"a".repeat(63)] {
            assert_eq!(Schema::new(name).unwrap().name(), name);
        }
        for name in ["", "2", "Shop", "a-b", "a\"b", "a.b", "größe", "pg_keys", &"a".repeat(64)] {
            let error = Schema::new(name).unwrap_err();
            assert!(matches!(&error, ConnectError::SchemaName(wrong) if wrong == name), "{error}");
        }
    }

    #[test]
    fn the_migration_is_of_the_schema_that_is_asked_for() {
        let other = Schema::new("shop").unwrap().migration();
        assert!(!other.contains(DEFAULT) && other.contains("CREATE SCHEMA \"shop\";"));
        assert!(other.contains(&format!("VALUES ({VERSION}, 1)")));
    }
}
