//! What the tests share.

use steadfast::idempotent::{Acquired, Claim, Claimed, Key, KeyStore, StoreError, Stored, Written};
use steadfast_redis::RedisStore;
use steadfast_test_servers::Redis;

pub(crate) fn key(number: u64) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

pub(crate) fn stored(json: &str) -> Stored {
    Stored::Json(json.as_bytes().into())
}

pub(crate) async fn acquire(store: &RedisStore, number: u64, owner: u128) -> Acquired {
    match store.claim(&key(number), &Claim::new(owner)).await.unwrap() {
        Claimed::Acquired(acquired) => acquired,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable(_)))
}

pub(crate) async fn connect(server: &Redis) -> RedisStore {
    RedisStore::connect(&server.url()).await.unwrap()
}

pub(crate) async fn complete(
    store: &RedisStore,
    number: u64,
    token: u64,
) -> Result<Written, StoreError> {
    store.complete(&key(number), token, true, stored("17")).await
}

pub(crate) async fn is_done(store: &RedisStore, number: u64) -> bool {
    matches!(store.claim(&key(number), &Claim::new(99)).await.unwrap(), Claimed::Done(_))
}
