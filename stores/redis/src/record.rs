//! A record as Redis has it: the head that the scripts pack, and behind it the result, if there is one.

use steadfast::idempotent::{Fingerprint, Record, State, Stored};

use crate::error::Undecodable;

/// How long a head is, in bytes.
pub(crate) const HEAD: usize = 89;

const IN_PROGRESS: u8 = 1;
pub(crate) const DONE: u8 = 2;
pub(crate) const FAILED: u8 = 3;
const INTERRUPTED: u8 = 4;
pub(crate) const RELEASED: u8 = 5;

pub(crate) fn record(bytes: &[u8]) -> Result<Record, Undecodable> {
    read(bytes, result)
}

/// A record of which there is only the head.
pub(crate) fn head(bytes: &[u8]) -> Result<Record, Undecodable> {
    read(bytes, |_| Ok(Stored::Unserializable))
}

fn read(
    mut bytes: &[u8],
    result: impl FnOnce(&[u8]) -> Result<Stored, Undecodable>,
) -> Result<Record, Undecodable> {
    let rest = bytes.get(HEAD..).ok_or(Undecodable)?;
    let [state] = take(&mut bytes)?;
    Ok(Record {
        state: match state {
            IN_PROGRESS => State::InProgress,
            DONE => State::Done(result(rest)?),
            FAILED => State::Failed(result(rest)?),
            INTERRUPTED => State::Interrupted,
            RELEASED => State::Released,
            _ => return Err(Undecodable),
        },
        token: u64::from_be_bytes(take(&mut bytes)?),
        lease_until: nanos(u64::from_be_bytes(take(&mut bytes)?)),
        expires_at: nanos(u64::from_be_bytes(take(&mut bytes)?)),
        ttl: nanos(u64::from_be_bytes(take(&mut bytes)?)),
        attempts: u32::from_be_bytes(take(&mut bytes)?),
        interruptions: u32::from_be_bytes(take(&mut bytes)?),
        owner: u128::from_be_bytes(take(&mut bytes)?),
        fingerprint: Fingerprint::from_bytes(take(&mut bytes)?),
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Undecodable> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Undecodable)?;
    *bytes = rest;
    Ok(*taken)
}

pub(crate) fn result(bytes: &[u8]) -> Result<Stored, Undecodable> {
    match bytes {
        [b'j', json @ ..] => Ok(Stored::Json(json.into())),
        [b'l', size @ ..] => Ok(Stored::TooLarge {
            size: str::from_utf8(size)
                .ok()
                .and_then(|size| size.parse().ok())
                .ok_or(Undecodable)?,
        }),
        [b'n'] => Ok(Stored::Unserializable),
        _ => Err(Undecodable),
    }
}

pub(crate) fn result_bytes(result: &Stored) -> Vec<u8> {
    match result {
        Stored::Json(json) => [b"j", &**json].concat(),
        Stored::TooLarge { size } => format!("l{size}").into_bytes(),
        Stored::Unserializable => b"n".to_vec(),
    }
}

pub(crate) fn nanos(micros: u64) -> u64 {
    micros.saturating_mul(1_000)
}
