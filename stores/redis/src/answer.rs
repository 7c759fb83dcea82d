//! What the scripts are told and what they answer.

use std::time::Duration;

use redis::Value;
use steadfast::idempotent::{Acquired, Claimed, Record, Written};

use crate::{
    error::Undecodable,
    record::{head, nanos, record, result},
};

pub(crate) fn claimed(answer: Value) -> Result<Answered, Undecodable> {
    if let Value::Int(token) = answer {
        let token = token.try_into().map_err(|_| Undecodable)?;
        let first = Acquired { token, attempt: 1, interruptions: 0, took_over: false };
        return Ok(Answered::Claimed(Claimed::Acquired(first)));
    }
    let mut fields = Fields::of(answer)?;
    Ok(Answered::Claimed(match &*fields.bytes()? {
        b"acquired" => Claimed::Acquired(Acquired {
            token: fields.number()?,
            attempt: fields.count()?,
            interruptions: fields.count()?,
            took_over: fields.number()? == 1,
        }),
        b"done" => Claimed::Done(result(&fields.bytes()?)?),
        b"failed" => Claimed::Failed(result(&fields.bytes()?)?),
        b"in progress" => Claimed::InProgress {
            remaining: Duration::from_micros(fields.number()?),
            changed: None,
        },
        b"interrupted" => {
            Claimed::Interrupted { attempts: fields.count()?, interruptions: fields.count()? }
        }
        b"mismatch" => Claimed::Mismatch,
        b"full" => return Ok(Answered::Full),
        _ => return Err(Undecodable),
    }))
}

pub(crate) enum Answered {
    Claimed(Claimed),
    /// There is no memory for what would be written.
    Full,
}

pub(crate) fn written(answer: &Value) -> Result<Written, Undecodable> {
    Ok(if yes(answer)? { Written::Yes } else { Written::LeaseLost })
}

pub(crate) fn yes(answer: &Value) -> Result<bool, Undecodable> {
    match answer {
        Value::Int(1) => Ok(true),
        Value::Int(0) => Ok(false),
        _ => Err(Undecodable),
    }
}

/// A record and the server's time, if there is a record.
pub(crate) fn found(answer: Value) -> Result<Option<(Record, u64)>, Undecodable> {
    let mut fields = Fields::of(answer)?;
    let now = nanos(fields.number()?);
    match fields.next()? {
        Value::Nil => Ok(None),
        value => Ok(Some((record(&bytes_of(value)?)?, now))),
    }
}

/// A record without its result, if there is a record.
pub(crate) fn found_head(answer: Value) -> Result<Option<Record>, Undecodable> {
    let bytes = bytes_of(answer)?;
    if bytes.is_empty() { Ok(None) } else { head(&bytes).map(Some) }
}

/// What `TIME` answers, in nanoseconds.
pub(crate) fn time(answer: Value) -> Result<u64, Undecodable> {
    let mut fields = Fields::of(answer)?;
    let (seconds, micros) = (fields.number()?, fields.number()?);
    Ok(nanos(seconds.saturating_mul(1_000_000).saturating_add(micros)))
}

struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    fn of(answer: Value) -> Result<Self, Undecodable> {
        match answer {
            Value::Array(values) => Ok(Self(values.into_iter())),
            _ => Err(Undecodable),
        }
    }

    fn next(&mut self) -> Result<Value, Undecodable> {
        self.0.next().ok_or(Undecodable)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Undecodable> {
        bytes_of(self.next()?)
    }

    fn number(&mut self) -> Result<u64, Undecodable> {
        match self.next()? {
            Value::Int(number) => number.try_into().map_err(|_| Undecodable),
            Value::BulkString(digits) => str::from_utf8(&digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                .ok_or(Undecodable),
            _ => Err(Undecodable),
        }
    }

    fn count(&mut self) -> Result<u32, Undecodable> {
        self.number()?.try_into().map_err(|_| Undecodable)
    }
}

fn bytes_of(value: Value) -> Result<Vec<u8>, Undecodable> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(Undecodable),
    }
}

/// In microseconds, never less than it was, and a century at most: what comes of it is still a number
/// that Lua can tell from the next.
pub(crate) fn micros(time: Duration) -> u64 {
    time.min(CENTURY).as_nanos().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
