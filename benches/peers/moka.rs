use std::{hash::Hash, sync::Arc, time::Duration};

use moka::future::Cache;
use tokio::runtime::Handle;

use crate::{
    client::{ApiError, Receipt, UP},
    harness::{Contender, Filled},
    keys::{self, CAPACITY},
};

/// As large as our store, and what is in it lives as long.
pub fn cache<K: Hash + Eq + Send + Sync + 'static>() -> Cache<K, Receipt> {
    Cache::builder().max_capacity(CAPACITY as u64).time_to_live(Duration::from_hours(24)).build()
}

/// The key is formatted for the call, as in most programs: it is told from those of other functions.
pub fn replay(cache: Cache<String, Receipt>) -> Contender {
    Contender::new(FORMATTED, || {
        let keys = keys::of_thread();
        Handle::current().block_on(fill(&cache, keys.all()));
        async move |id| Ok(found(cache.get(&format!("charge:{}", keys.nth(id))).await))
    })
}

pub fn replay_typed(cache: Cache<u64, Receipt>) -> Contender {
    Contender::new(TYPED, || {
        let keys = keys::of_thread();
        Handle::current().block_on(fill_typed(&cache, keys.all()));
        async move |id| Ok(found(cache.get(&keys.nth(id)).await))
    })
}

pub fn replay_text() -> Contender {
    Contender::new(FORMATTED, || {
        let (cache, keys) = filled_with_texts(|key| format!("charge:{key}"));
        async move |id| Ok(found(cache.get(&format!("charge:{}", keys::nth(&keys, id))).await))
    })
}

pub fn replay_text_typed() -> Contender {
    Contender::new(TYPED, || {
        let (cache, keys) = filled_with_texts(str::to_owned);
        async move |id| Ok(found(cache.get(keys::nth(&keys, id)).await))
    })
}

fn filled_with_texts(format: impl Fn(&str) -> String) -> (Cache<String, Receipt>, Vec<String>) {
    let (cache, keys) = (cache(), keys::texts());
    Handle::current().block_on(async {
        for key in &keys {
            cache.insert(format(key), Receipt { order: 36, charge: 7 }).await;
        }
        cache.run_pending_tasks().await;
    });
    (cache, keys)
}

pub fn fresh(cache: &Arc<Filled<Cache<String, Receipt>>>) -> Contender {
    Contender::filling(FORMATTED, cache, |cache, first| {
        async move |id| {
            let id = first + id;
            cache.try_get_with(format!("charge:{id}"), UP.charge(id)).await.map_err(own)
        }
    })
}

pub fn fresh_typed(cache: &Arc<Filled<Cache<u64, Receipt>>>) -> Contender {
    Contender::filling(TYPED, cache, |cache, first| {
        async move |id| {
            let id = first + id;
            cache.try_get_with(id, UP.charge(id)).await.map_err(own)
        }
    })
}

pub async fn fill(cache: &Cache<String, Receipt>, keys: impl Iterator<Item = u64>) {
    for id in keys {
        let charged = cache.try_get_with(format!("charge:{id}"), UP.charge(id)).await;
        charged.expect("the client answers");
    }
    cache.run_pending_tasks().await;
}

pub async fn fill_typed(cache: &Cache<u64, Receipt>, keys: impl Iterator<Item = u64>) {
    for id in keys {
        let charged = cache.try_get_with(id, UP.charge(id)).await;
        charged.expect("the client answers");
    }
    cache.run_pending_tasks().await;
}

fn found(found: Option<Receipt>) -> Receipt {
    found.expect("the cache has room")
}

#[expect(clippy::needless_pass_by_value, reason = "it is how moka hands an error over")]
fn own(error: Arc<ApiError>) -> ApiError {
    ApiError::clone(&error)
}

pub const FORMATTED: &str = "moka 0.12, key formatted";
pub const TYPED: &str = "moka 0.12, typed key";
