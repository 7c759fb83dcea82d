//! How a key store is spoken to over a socket: a line of JSON there, a line of JSON back.

use std::time::Duration;

use serde_json::{Value, json};
use steadfast::idempotent::{
    Acquired, Claim, Claimed, Fingerprint, Found, Key, KeyStore, Record, State, StoreError, Stored,
    Written,
};

use crate::way::Write;

/// What a request for this key has in common.
pub(crate) fn about(operation: &str, key: &Key) -> Value {
    json!({ "op": operation, "key": hex(&key.to_bytes()) })
}

pub(crate) fn claim(key: &Key, claim: &Claim) -> Value {
    let mut asked = about("claim", key);
    asked["owner"] = claim.owner.to_string().into();
    asked["fingerprint"] = hex(claim.fingerprint.as_bytes()).into();
    asked["lease"] = nanos(claim.lease).into();
    asked["ttl"] = nanos(claim.ttl).into();
    asked["most"] = claim.max_interruptions.into();
    asked
}

pub(crate) fn write(key: &Key, token: u64, write: &Write) -> Value {
    let mut asked = about(write.name(), key);
    asked["token"] = token.into();
    match write {
        Write::Complete { succeeded, result } => {
            asked["succeeded"] = (*succeeded).into();
            asked["result"] = show_stored(result);
        }
        Write::Interrupt { ran } => asked["ran"] = (*ran).into(),
        Write::Release => {}
        Write::Renew { lease } => asked["lease"] = nanos(*lease).into(),
    }
    asked
}

impl Write {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "complete",
            Self::Interrupt { .. } => "interrupt",
            Self::Release => "release",
            Self::Renew { .. } => "renew",
        }
    }
}

/// Does what was asked for, and says what came of it.
pub(crate) async fn serve(store: &dyn KeyStore, asked: &Value) -> Value {
    let Some(answer) = operate(store, asked).await else { return json!({ "error": "what?" }) };
    answer.unwrap_or_else(|error| match error {
        StoreError::Full => json!({ "error": "full" }),
        error => json!({ "error": error.to_string() }),
    })
}

async fn operate(store: &dyn KeyStore, asked: &Value) -> Option<Result<Value, StoreError>> {
    let key = &Key::from_bytes(&bytes(asked["key"].as_str()?)?)?;
    let token = asked["token"].as_u64().unwrap_or(0);
    let written = match asked["op"].as_str()? {
        "claim" => {
            let claim = read_claim(asked)?;
            return Some(store.claim(key, &claim).await.map(|claimed| show_claimed(&claimed)));
        }
        "look" => {
            return Some(store.look(key).await.map(|found| found.map_or(json!({}), show_found)));
        }
        "renew" => store.renew(key, token, duration(&asked["lease"])?).await,
        "complete" => {
            let result = read_stored(&asked["result"]);
            store.complete(key, token, asked["succeeded"].as_bool()?, result).await
        }
        "release" => store.release(key, token).await,
        "interrupt" => store.interrupt(key, token, asked["ran"].as_bool()?).await,
        _ => return None,
    };
    Some(written.map(|written| json!({ "written": written == Written::Yes })))
}

/// An answer, or the error that it stands for.
pub(crate) fn answer(said: Value) -> Result<Value, StoreError> {
    match said["error"].as_str() {
        None => Ok(said),
        Some("full") => Err(StoreError::Full),
        Some(error) => Err(StoreError::unavailable(error.to_owned())),
    }
}

pub(crate) fn read_written(said: &Value) -> Option<Written> {
    Some(if said["written"].as_bool()? { Written::Yes } else { Written::LeaseLost })
}

fn read_claim(asked: &Value) -> Option<Claim> {
    let print = bytes(asked["fingerprint"].as_str()?)?.try_into().ok()?;
    Some(
        Claim::new(asked["owner"].as_str()?.parse().ok()?)
            .fingerprint(Fingerprint::from_bytes(print))
            .lease(duration(&asked["lease"])?)
            .ttl(duration(&asked["ttl"])?)
            .max_interruptions(number(&asked["most"])?),
    )
}

fn show_claimed(claimed: &Claimed) -> Value {
    match claimed {
        Claimed::Acquired(Acquired { token, attempt, interruptions, took_over }) => json!({
            "claimed": "acquired", "token": token, "attempt": attempt,
            "interruptions": interruptions, "took_over": took_over,
        }),
        Claimed::Done(stored) => json!({ "claimed": "done", "result": show_stored(stored) }),
        Claimed::Failed(stored) => json!({ "claimed": "failed", "result": show_stored(stored) }),
        Claimed::InProgress { remaining, .. } => {
            json!({ "claimed": "in progress", "remaining": nanos(*remaining) })
        }
        Claimed::Interrupted { attempts, interruptions } => json!({
            "claimed": "interrupted", "attempts": attempts, "interruptions": interruptions,
        }),
        Claimed::Mismatch => json!({ "claimed": "mismatch" }),
    }
}

pub(crate) fn read_claimed(said: &Value) -> Option<Claimed> {
    Some(match said["claimed"].as_str()? {
        "acquired" => Claimed::Acquired(Acquired {
            token: said["token"].as_u64()?,
            attempt: number(&said["attempt"])?,
            interruptions: number(&said["interruptions"])?,
            took_over: said["took_over"].as_bool()?,
        }),
        "done" => Claimed::Done(read_stored(&said["result"])),
        "failed" => Claimed::Failed(read_stored(&said["result"])),
        "in progress" => {
            Claimed::InProgress { remaining: duration(&said["remaining"])?, changed: None }
        }
        "interrupted" => Claimed::Interrupted {
            attempts: number(&said["attempts"])?,
            interruptions: number(&said["interruptions"])?,
        },
        _ => Claimed::Mismatch,
    })
}

fn show_found(Found { record, now, .. }: Found) -> Value {
    let (state, result) = match &record.state {
        State::Done(stored) => ("done", Some(show_stored(stored))),
        State::Failed(stored) => ("failed", Some(show_stored(stored))),
        State::InProgress => ("in progress", None),
        State::Interrupted => ("interrupted", None),
        State::Released => ("released", None),
    };
    json!({
        "now": now, "state": state, "result": result, "token": record.token,
        "owner": record.owner.to_string(), "fingerprint": hex(record.fingerprint.as_bytes()),
        "lease_until": record.lease_until, "expires_at": record.expires_at, "ttl": record.ttl,
        "attempts": record.attempts, "interruptions": record.interruptions,
    })
}

/// What was found of a key, if anything.
pub(crate) fn read_found(key: &Key, said: &Value) -> Option<Found> {
    let state = match said["state"].as_str()? {
        "done" => State::Done(read_stored(&said["result"])),
        "failed" => State::Failed(read_stored(&said["result"])),
        "in progress" => State::InProgress,
        "interrupted" => State::Interrupted,
        _ => State::Released,
    };
    let print = bytes(said["fingerprint"].as_str()?)?.try_into().ok()?;
    let record = Record {
        state,
        token: said["token"].as_u64()?,
        owner: said["owner"].as_str()?.parse().ok()?,
        fingerprint: Fingerprint::from_bytes(print),
        lease_until: said["lease_until"].as_u64()?,
        expires_at: said["expires_at"].as_u64()?,
        ttl: said["ttl"].as_u64()?,
        attempts: number(&said["attempts"])?,
        interruptions: number(&said["interruptions"])?,
    };
    Some(Found::new(key.clone(), record, said["now"].as_u64()?))
}

fn show_stored(stored: &Stored) -> Value {
    match stored {
        Stored::Json(json) => json!({ "json": String::from_utf8_lossy(json) }),
        Stored::TooLarge { size } => json!({ "too_large": size }),
        Stored::Unserializable => json!({}),
    }
}

fn read_stored(said: &Value) -> Stored {
    if let Some(json) = said["json"].as_str() {
        return Stored::Json(json.as_bytes().into());
    }
    said["too_large"].as_u64().map_or(Stored::Unserializable, |size| Stored::TooLarge { size })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn duration(nanos: &Value) -> Option<Duration> {
    Some(Duration::from_nanos(nanos.as_u64()?))
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |bits: u8| char::from_digit(bits.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}
