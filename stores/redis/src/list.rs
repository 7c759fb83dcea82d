//! What goes over all keys: it scans the database for them, in parts, between which others are served.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use redis::Value;
use steadfast::idempotent::{Counts, Found, Key, Record, StoreError};

use crate::{
    answer::{found_head, time},
    connection::{Connection, Node},
    error::{Undecodable, of_operation},
    record::HEAD,
};

/// The first of the interrupted keys after this one, by their bytes.
pub(crate) async fn interrupted(
    connection: &Connection,
    prefix: &[u8],
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<Found>, StoreError> {
    let after = after.map(Key::to_bytes);
    let mut first = BTreeMap::new();
    each(connection, prefix, |key, record, now| {
        let name = key.to_bytes();
        let is_wanted = !record.is_expired(now)
            && record.is_interrupted(now)
            && after.as_ref().is_none_or(|after| name > *after);
        if is_wanted {
            first.insert(name, Found::new(key, record, now));
            if first.len() > limit {
                first.pop_last();
            }
        }
    })
    .await?;
    Ok(first.into_values().collect())
}

/// All keys, by what has come of them.
pub(crate) async fn count(connection: &Connection, prefix: &[u8]) -> Result<Counts, StoreError> {
    // A scan may come by a key twice.
    let (mut seen, hasher) = (HashSet::new(), RandomState::new());
    let mut counts = Counts::default();
    each(connection, prefix, |key, record, now| {
        if seen.insert(hasher.hash_one(key)) {
            counts.add(&record, now);
        }
    })
    .await?;
    Ok(counts)
}

async fn each(
    connection: &Connection,
    prefix: &[u8],
    mut visit: impl FnMut(Key, Record, u64),
) -> Result<(), StoreError> {
    for (node, _) in connection.infos().await.map_err(of_operation)? {
        let mut cursor = 0;
        loop {
            let (next, names) = scan(connection, &node, prefix, cursor).await?;
            // What is no key of ours has our prefix by chance.
            let key_of = |name: Vec<u8>| Some((Key::from_bytes(name.get(prefix.len()..)?)?, name));
            let keys = names.into_iter().filter_map(key_of).collect();
            for (key, record, now) in heads(connection, &node, keys).await? {
                visit(key, record, now);
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    Ok(())
}

async fn scan(
    connection: &Connection,
    node: &Node,
    prefix: &[u8],
    cursor: u64,
) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
    let mut command = redis::cmd("SCAN");
    command.arg(cursor).arg("MATCH").arg(pattern(prefix));
    command.arg("COUNT").arg(AT_A_TIME).arg("TYPE").arg("string");
    let answer = connection.ask_node(node, command).await.map_err(of_operation)?;
    redis::from_redis_value(answer).map_err(StoreError::corrupt)
}

async fn heads(
    connection: &Connection,
    node: &Node,
    keys: Vec<(Key, Vec<u8>)>,
) -> Result<Vec<(Key, Record, u64)>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut questions = redis::Pipeline::with_capacity(keys.len() + 1);
    questions.cmd("TIME");
    for (_, name) in &keys {
        questions.cmd("GETRANGE").arg(name).arg(0).arg(HEAD - 1);
    }
    let answers = connection.ask_node_all(node, &questions).await.map_err(of_operation)?;
    let Value::Array(answers) = answers else { return Err(Undecodable.into()) };
    let mut answers = answers.into_iter().map(Value::extract_error);
    let now = time(answers.next().ok_or(Undecodable)?.map_err(of_operation)?)?;
    let mut records = Vec::with_capacity(keys.len());
    for ((key, name), answer) in keys.into_iter().zip(answers) {
        // It may have expired in between.
        match found_head(answer.map_err(of_operation)?) {
            Ok(Some(record)) => records.push((key, record, now)),
            Ok(None) => {}
            Err(Undecodable) => {
                let name = name.escape_ascii();
                return Err(StoreError::corrupt(format!("the record at `{name}` cannot be read")));
            }
        }
    }
    Ok(records)
}

/// With what means something to `MATCH` taken literally.
fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for &byte in prefix {
        if b"*?[]^-\\".contains(&byte) {
            pattern.push(b'\\');
        }
        pattern.push(byte);
    }
    pattern.push(b'*');
    pattern
}

const AT_A_TIME: usize = 1_000;
