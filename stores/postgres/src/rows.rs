//! What the server has answered.

use std::{error, fmt, time::Duration};

use sqlx::{Row, postgres::PgRow};
use steadfast::idempotent::{
    Acquired, Claimed, Counts, Fingerprint, Found, Key, Record, State, StoreError, Stored, Written,
};

/// What a claim selects.
pub(crate) const CLAIMED: &str = "outcome, token, attempts, interruptions, took_over, remaining, \
    encode(result, 'hex'), result_size";

/// What came of a claim.
pub(crate) fn claimed(rows: &[PgRow]) -> Result<Claimed, StoreError> {
    read(rows, |row| {
        let claimed = match row.try_get(0)? {
            "acquired" => Claimed::Acquired(Acquired {
                token: number(row.try_get(1)?)?,
                attempt: count(row, 2)?,
                interruptions: count(row, 3)?,
                took_over: row.try_get(4)?,
            }),
            "done" => Claimed::Done(stored(row, 6)?),
            "failed" => Claimed::Failed(stored(row, 6)?),
            "in progress" => {
                let micros = number(row.try_get(5)?)?;
                Claimed::InProgress { remaining: Duration::from_micros(micros), changed: None }
            }
            "interrupted" => {
                Claimed::Interrupted { attempts: count(row, 2)?, interruptions: count(row, 3)? }
            }
            "mismatch" => Claimed::Mismatch,
            other => return Err(Undecodable::Outcome(other.into())),
        };
        Ok(claimed)
    })
}

/// Whether a write was made.
pub(crate) fn written(rows: &[PgRow]) -> Result<Written, StoreError> {
    Ok(if truth(rows)? { Written::Yes } else { Written::LeaseLost })
}

pub(crate) fn truth(rows: &[PgRow]) -> Result<bool, StoreError> {
    read(rows, |row| Ok(row.try_get(0)?))
}

pub(crate) fn purged(rows: &[PgRow]) -> Result<u64, StoreError> {
    read(rows, |row| number(row.try_get(0)?))
}

/// What a record is selected with.
pub(crate) const RECORD: &str = "encode(key, 'hex'), state, encode(result, 'hex'), result_size, \
    token, encode(owner, 'hex'), encode(fingerprint, 'hex'), \
    (extract(epoch FROM lease_until) * 1000000)::bigint, \
    (extract(epoch FROM expires_at) * 1000000)::bigint, \
    (extract(epoch FROM ttl) * 1000000)::bigint, \
    attempts, interruptions, (extract(epoch FROM seen_at) * 1000000)::bigint";

/// The records that were selected.
pub(crate) fn found(rows: &[PgRow]) -> Result<Vec<Found>, StoreError> {
    rows.iter().map(found_one).collect::<Result<_, _>>().map_err(StoreError::corrupt)
}

fn found_one(row: &PgRow) -> Result<Found, Undecodable> {
    let key = Key::from_bytes(&bytes(row.try_get(0)?)?).ok_or(Undecodable::What("a key"))?;
    let state = match row.try_get(1)? {
        "in progress" => State::InProgress,
        "done" => State::Done(stored(row, 2)?),
        "failed" => State::Failed(stored(row, 2)?),
        "interrupted" => State::Interrupted,
        "released" => State::Released,
        other => return Err(Undecodable::State(other.into())),
    };
    let record = Record {
        state,
        token: number(row.try_get(4)?)?,
        owner: u128::from_be_bytes(array("an owner", row.try_get(5)?)?),
        fingerprint: Fingerprint::from_bytes(array("a fingerprint", row.try_get(6)?)?),
        lease_until: nanos(row, 7)?,
        expires_at: nanos(row, 8)?,
        ttl: nanos(row, 9)?,
        attempts: count(row, 10)?,
        interruptions: count(row, 11)?,
    };
    Ok(Found::new(key, record, nanos(row, 12)?))
}

/// What the records are counted with, of [`counts`].
pub(crate) const COUNTS: &str = "count(*) FILTER (WHERE state = 'done'), \
    count(*) FILTER (WHERE state = 'failed'), \
    count(*) FILTER (WHERE state = 'in progress' AND NOT is_interrupted), \
    count(*) FILTER (WHERE is_interrupted), \
    count(*) FILTER (WHERE state = 'released')";

pub(crate) fn counts(rows: &[PgRow]) -> Result<Counts, StoreError> {
    read(rows, |row| {
        let of = |column| number(row.try_get(column)?);
        let mut counts = Counts::default();
        (counts.done, counts.failed, counts.in_progress) = (of(0)?, of(1)?, of(2)?);
        (counts.interrupted, counts.released) = (of(3)?, of(4)?);
        Ok(counts)
    })
}

/// Reads the only row.
fn read<T>(
    rows: &[PgRow],
    read: impl FnOnce(&PgRow) -> Result<T, Undecodable>,
) -> Result<T, StoreError> {
    match rows {
        [row] => read(row),
        rows => Err(Undecodable::Rows(rows.len())),
    }
    .map_err(StoreError::corrupt)
}

/// A result: JSON, or else its size, or else nothing.
fn stored(row: &PgRow, column: usize) -> Result<Stored, Undecodable> {
    let json: Option<&str> = row.try_get(column)?;
    let size: Option<i64> = row.try_get(column + 1)?;
    Ok(match (json, size) {
        (Some(json), _) => Stored::Json(bytes(json)?.into()),
        (None, Some(size)) => Stored::TooLarge { size: number(size)? },
        (None, None) => Stored::Unserializable,
    })
}

fn nanos(row: &PgRow, column: usize) -> Result<u64, Undecodable> {
    Ok(number(row.try_get(column)?)?.saturating_mul(1_000))
}

fn count(row: &PgRow, column: usize) -> Result<u32, Undecodable> {
    let count: i32 = row.try_get(column)?;
    u32::try_from(count).map_err(|_| Undecodable::What("a count"))
}

fn number(number: i64) -> Result<u64, Undecodable> {
    u64::try_from(number).map_err(|_| Undecodable::What("a number"))
}

fn array<const N: usize>(what: &'static str, hex: &str) -> Result<[u8; N], Undecodable> {
    bytes(hex)?.try_into().map_err(|_| Undecodable::What(what))
}

fn bytes(hex: &str) -> Result<Vec<u8>, Undecodable> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    hex.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or(Undecodable::What("bytes"))
}

/// Why an answer is none.
#[derive(Debug)]
enum Undecodable {
    Column(sqlx::Error),
    Outcome(String),
    Rows(usize),
    State(String),
    What(&'static str),
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(why) => write!(f, "it is not what it should be: {why}"),
            Self::Outcome(outcome) => write!(f, "a claim has the unknown outcome `{outcome}`"),
            Self::Rows(rows) => write!(f, "an answer has {rows} rows, and not one"),
            Self::State(state) => write!(f, "a record is in the unknown state `{state}`"),
            Self::What(what) => write!(f, "there should be {what}, and is something else"),
        }
    }
}

impl error::Error for Undecodable {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Column(why) => Some(why),
            Self::Outcome(_) | Self::Rows(_) | Self::State(_) | Self::What(_) => None,
        }
    }
}

impl From<sqlx::Error> for Undecodable {
    fn from(why: sqlx::Error) -> Self {
        Self::Column(why)
    }
}
