//! What is sent to the server: all of it, in one message.

use std::{fmt::Write, time::Duration};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::schema::Schema;

/// The text of a message, as the simple query protocol has it: several statements, and one reply to all
/// of them. Nothing is prepared, so that a pooler may send each to another server connection.
///
/// What a caller gives gets into it as a [`Literal`] only, so that nothing of it can be taken for SQL.
#[derive(Debug)]
pub(crate) struct Statement(String);

/// What a caller gives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Literal<'a> {
    Bytes(&'a [u8]),
    Number(i64),
    Span(Duration),
    Truth(bool),
    Word(&'static str),
    Null,
}

impl Statement {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    /// Waits for locks so long at most, and sees what others have committed.
    pub(crate) fn with_limits(lock_wait: Duration, is_read_committed: bool) -> Self {
        let isolation = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ";
        let isolation = if is_read_committed { "" } else { isolation };
        let wait = lock_wait.as_millis().clamp(1, i32::MAX as u128);
        Self(format!("{isolation}SET LOCAL lock_timeout = {wait}; "))
    }

    /// Adds what is in the program.
    pub(crate) fn text(mut self, text: &'static str) -> Self {
        self.0.push_str(text);
        self
    }

    pub(crate) fn number(mut self, number: u64) -> Self {
        let _ = write!(self.0, "{number}");
        self
    }

    /// Adds the name of what is in the schema.
    pub(crate) fn name(mut self, schema: &Schema, name: &'static str) -> Self {
        let _ = write!(self.0, "{schema}.{name}");
        self
    }

    pub(crate) fn migration(mut self, schema: &Schema) -> Self {
        self.0.push_str(&schema.migration());
        self
    }

    /// Adds `SELECT columns FROM schema.function(literals)`.
    pub(crate) fn call(
        mut self,
        columns: &'static str,
        schema: &Schema,
        function: &'static str,
        literals: &[Literal<'_>],
    ) -> Self {
        let _ = write!(self.0, "SELECT {columns} FROM {schema}.{function}(");
        for (at, literal) in literals.iter().enumerate() {
            self.0.push_str(if at == 0 { "" } else { ", " });
            self = self.literal(*literal);
        }
        self.0.push(')');
        self
    }

    pub(crate) fn literal(mut self, literal: Literal<'_>) -> Self {
        // Read by the server as what they are compared with or handed to: a cast or an operator in each takes
        // it longer. Of a write to a string, nothing can come.
        let _ = match literal {
            Literal::Bytes(bytes) => {
                self.0.reserve(bytes.len() * 2 + 8);
                // As `standard_conforming_strings` may be off.
                self.0.push_str(r"E'\\x");
                for byte in bytes {
                    self.0.push(digit(byte >> 4));
                    self.0.push(digit(byte & 15));
                }
                self.0.write_char('\'')
            }
            Literal::Number(number) => write!(self.0, "'{number}'"),
            Literal::Span(span) => {
                let (seconds, micros) = (micros(span) / 1_000_000, micros(span) % 1_000_000);
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                write!(self.0, "'{}:{:02}:{seconds:02}.{micros:06}'", minutes / 60, minutes % 60)
            }
            Literal::Truth(truth) => write!(self.0, "{truth}"),
            Literal::Word(word) => write!(self.0, "'{word}'"),
            Literal::Null => self.0.write_str("NULL"),
        };
        self
    }

    pub(crate) fn to_sql(&self) -> SqlStr {
        AssertSqlSafe(self.0.as_str()).into_sql_str()
    }
}

fn digit(half: u8) -> char {
    b"0123456789abcdef".get(usize::from(half)).map_or('0', |digit| char::from(*digit))
}

/// Rounded up, so that a lease is not shorter than what its owner counts by.
pub(crate) fn micros(span: Duration) -> i64 {
    let micros = span.min(LONGEST).as_nanos().div_ceil(1_000);
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// A hundred years: what is longer is for ever, and too long for a clock.
const LONGEST: Duration = Duration::from_hours(36_525 * 24);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_gives_is_no_sql() {
        let schema = Schema::new("select").unwrap();
        let literals = [
            Literal::Bytes(b"'); DROP TABLE keys; --"),
            Literal::Number(-1),
            Literal::Span(Duration::from_nanos(1_500)),
            Literal::Truth(true),
            Literal::Null,
        ];
        let statement = Statement::new().call("*", &schema, "claim", &literals);
        assert_eq!(
            statement.0,
            "SELECT * FROM \"select\".claim(\
             E'\\\\x27293b2044524f50205441424c45206b6579733b202d2d', '-1', \
             '0:00:00.000002', true, NULL)"
        );
    }

    #[test]
    fn a_time_is_a_hundred_years_at_most() {
        assert_eq!(micros(Duration::MAX), 3_155_760_000_000_000);
        assert_eq!(micros(Duration::ZERO), 0);
    }
}
