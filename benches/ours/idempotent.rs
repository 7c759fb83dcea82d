//! The call that happens once for each key.

use std::sync::Arc;

use steadfast::{
    idempotent,
    idempotent::{MemoryStore, Store},
};
use tokio::runtime::Handle;

use crate::{
    client::{ApiError, Receipt, UP},
    harness::{Contender, Filled},
    keys::{self, CAPACITY},
};

pub fn bare() -> Contender {
    Contender::new("bare", || |id| UP.charge(id))
}

/// With the defaults, a ttl of 24 h among them.
#[idempotent(key = id, store = store)]
async fn charge(store: &Store, id: u64) -> Result<Receipt, ApiError> {
    UP.charge(id).await
}

#[idempotent(key = id, store = store)]
async fn charge_text(store: &Store, id: &str) -> Result<Receipt, ApiError> {
    UP.charge(id.len() as u64).await
}

pub fn store() -> Store {
    Store::new(MemoryStore::new().max_keys(CAPACITY))
}

pub fn replay(store: Store) -> Contender {
    Contender::new(NAME, || {
        let keys = keys::of_thread();
        Handle::current().block_on(fill(&store, keys.all()));
        async move |id| charge(&store, keys.nth(id)).await
    })
}

pub fn replay_text() -> Contender {
    Contender::new(NAME, || {
        let (store, keys) = (store(), keys::texts());
        Handle::current().block_on(async {
            for key in &keys {
                charge_text(&store, key).await.expect("the store has room");
            }
        });
        async move |id| charge_text(&store, keys::nth(&keys, id)).await
    })
}

pub fn fresh(store: &Arc<Filled<Store>>) -> Contender {
    Contender::filling(NAME, store, |store, first| async move |id| charge(&store, first + id).await)
}

pub async fn fill(store: &Store, keys: impl Iterator<Item = u64>) {
    for key in keys {
        charge(store, key).await.expect("the store has room");
    }
}

pub const NAME: &str = "`#[idempotent]`";
