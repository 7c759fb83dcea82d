//! A record in bytes: a version, a state, the numbers in little endian, and what is left is the result.

use std::{error, fmt};

use steadfast::idempotent::{Fingerprint, Record, State, Stored};

/// The record in bytes.
pub(crate) fn encode(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + 9 + result_of(record).map_or(0, result_bytes));
    bytes.push(VERSION);
    bytes.push(match &record.state {
        State::InProgress => IN_PROGRESS,
        State::Interrupted => INTERRUPTED,
        State::Released => RELEASED,
        State::Done(_) => DONE,
        State::Failed(_) => FAILED,
    });
    bytes.extend(record.token.to_le_bytes());
    bytes.extend(record.owner.to_le_bytes());
    bytes.extend(record.fingerprint.as_bytes());
    bytes.extend(record.lease_until.to_le_bytes());
    bytes.extend(record.expires_at.to_le_bytes());
    bytes.extend(record.ttl.to_le_bytes());
    bytes.extend(record.attempts.to_le_bytes());
    bytes.extend(record.interruptions.to_le_bytes());
    match result_of(record) {
        Some(Stored::Json(json)) => {
            bytes.push(JSON);
            bytes.extend(&**json);
        }
        Some(Stored::TooLarge { size }) => {
            bytes.push(TOO_LARGE);
            bytes.extend(size.to_le_bytes());
        }
        Some(Stored::Unserializable) => bytes.push(UNSERIALIZABLE),
        None => {}
    }
    bytes
}

/// Reads what [`encode`] has made.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, Undecodable> {
    read(bytes, |json| Stored::Json(json.into()))
}

/// As [`decode`], without a copy of the result: of it there is only the size.
pub(crate) fn decode_head(bytes: &[u8]) -> Result<Record, Undecodable> {
    read(bytes, |json| Stored::TooLarge { size: json.len().try_into().unwrap_or(u64::MAX) })
}

fn read(bytes: &[u8], json: impl FnOnce(&[u8]) -> Stored) -> Result<Record, Undecodable> {
    let mut rest = Rest(bytes);
    match rest.byte()? {
        VERSION => {}
        other => return Err(Undecodable::Version(other)),
    }
    let tag = rest.byte()?;
    let mut record = Record {
        state: State::InProgress,
        token: u64::from_le_bytes(rest.array()?),
        owner: u128::from_le_bytes(rest.array()?),
        fingerprint: Fingerprint::from_bytes(rest.array()?),
        lease_until: u64::from_le_bytes(rest.array()?),
        expires_at: u64::from_le_bytes(rest.array()?),
        ttl: u64::from_le_bytes(rest.array()?),
        attempts: u32::from_le_bytes(rest.array()?),
        interruptions: u32::from_le_bytes(rest.array()?),
    };
    record.state = match tag {
        IN_PROGRESS => State::InProgress,
        INTERRUPTED => State::Interrupted,
        RELEASED => State::Released,
        DONE => State::Done(rest.result(json)?),
        FAILED => State::Failed(rest.result(json)?),
        other => return Err(Undecodable::State(other)),
    };
    if rest.0.is_empty() { Ok(record) } else { Err(Undecodable::Length(bytes.len())) }
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Result<u8, Undecodable> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Undecodable> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Undecodable::Short)?;
        self.0 = rest;
        Ok(*array)
    }

    fn result(&mut self, json: impl FnOnce(&[u8]) -> Stored) -> Result<Stored, Undecodable> {
        match self.byte()? {
            JSON => Ok(json(std::mem::take(&mut self.0))),
            TOO_LARGE => Ok(Stored::TooLarge { size: u64::from_le_bytes(self.array()?) }),
            UNSERIALIZABLE => Ok(Stored::Unserializable),
            other => Err(Undecodable::Result(other)),
        }
    }
}

fn result_of(record: &Record) -> Option<&Stored> {
    match &record.state {
        State::Done(stored) | State::Failed(stored) => Some(stored),
        State::InProgress | State::Interrupted | State::Released => None,
    }
}

fn result_bytes(stored: &Stored) -> usize {
    match stored {
        Stored::Json(json) => json.len(),
        Stored::TooLarge { .. } | Stored::Unserializable => 0,
    }
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Length(usize),
    Result(u8),
    Short,
    State(u8),
    Version(u8),
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(bytes) => {
                write!(f, "a record has something after its end, in {bytes} bytes")
            }
            Self::Result(tag) => write!(f, "a record has a result of the unknown kind {tag}"),
            Self::Short => f.write_str("a record ends too early"),
            Self::State(tag) => write!(f, "a record is in the unknown state {tag}"),
            Self::Version(version) => write!(f, "a record is of the unknown version {version}"),
        }
    }
}

impl error::Error for Undecodable {}

const VERSION: u8 = 1;
/// The bytes before a result.
const HEAD: usize = 1 + 1 + 8 + 16 + 32 + 8 + 8 + 8 + 4 + 4;

const IN_PROGRESS: u8 = 0;
const INTERRUPTED: u8 = 1;
const RELEASED: u8 = 2;
const DONE: u8 = 3;
const FAILED: u8 = 4;

const JSON: u8 = 0;
const TOO_LARGE: u8 = 1;
const UNSERIALIZABLE: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn stored() -> impl Strategy<Value = Stored> {
        prop_oneof![
            vec(any::<u8>(), 0..200).prop_map(|json| Stored::Json(json.into())),
            any::<u64>().prop_map(|size| Stored::TooLarge { size }),
            Just(Stored::Unserializable),
        ]
    }

    fn record() -> impl Strategy<Value = Record> {
        let state = prop_oneof![
            Just(State::InProgress),
            Just(State::Interrupted),
            Just(State::Released),
            stored().prop_map(State::Done),
            stored().prop_map(State::Failed),
        ];
        let numbers = (any::<[u64; 4]>(), any::<[u32; 2]>());
        (state, numbers, any::<u128>(), any::<[u8; 32]>()).prop_map(
            |(
                state,
                ([token, lease_until, expires_at, ttl], [attempts, interruptions]),
                owner,
                print,
            )| {
                let fingerprint = Fingerprint::from_bytes(print);
                Record {
                    state,
                    token,
                    owner,
                    fingerprint,
                    lease_until,
                    expires_at,
                    ttl,
                    attempts,
                    interruptions,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn comes_back_as_it_was(record in record()) {
            prop_assert_eq!(decode(&encode(&record)), Ok(record));
        }

        #[test]
        fn cut_off_anywhere_is_no_record(record in record(), cut in any::<prop::sample::Index>()) {
            let bytes = encode(&record);
            let cut = cut.index(bytes.len());
            match decode(&bytes[..cut]) {
                // JSON has no length of its own: the table knows it.
                Ok(shorter) => prop_assert!(shorter.state != record.state && cut > HEAD),
                Err(why) => prop_assert_eq!(why, Undecodable::Short),
            }
        }

        #[test]
        fn any_bytes_are_a_record_or_an_error(mut bytes in vec(any::<u8>(), 0..120), fixed in any::<bool>()) {
            if let (true, [version, state, ..]) = (fixed, &mut *bytes) {
                (*version, *state) = (VERSION, *state % 6);
            }
            if let Ok(record) = decode(&bytes) {
                prop_assert_eq!(encode(&record), bytes);
            }
        }

        #[test]
        fn the_head_is_the_record_without_its_result(record in record()) {
            let head = decode_head(&encode(&record)).unwrap();
            prop_assert_eq!((head.token, head.lease_until), (record.token, record.lease_until));
            prop_assert_eq!((head.owner, head.expires_at), (record.owner, record.expires_at));
        }
    }

    /// What is in the files of every release: it may never change.
    #[test]
    fn is_the_same_for_ever() {
        let record = Record {
            state: State::Done(Stored::Json((*b"17").into())),
            token: 0x0102,
            owner: 3,
            fingerprint: Fingerprint::NONE,
            lease_until: 4,
            expires_at: 5,
            ttl: 8,
            attempts: 6,
            interruptions: 7,
        };
        let mut bytes = vec![1, 3, 2, 1, 0, 0, 0, 0, 0, 0, 3];
        bytes.extend([0; 15]);
        bytes.extend([0xFF; 32]);
        bytes.extend([4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([8, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0]);
        bytes.extend(b"\x0017");
        assert_eq!(encode(&record), bytes);
        assert_eq!(decode(&bytes), Ok(record));
    }
}
