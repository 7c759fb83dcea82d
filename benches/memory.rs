//! What an entry takes, in a store and in a cache of a million.

use crate::{
    harness::inside,
    heap::bytes_kept,
    ours::{self, idempotent::store},
    peers::{self, moka::cache},
};

/// Bytes an entry.
pub struct Memory {
    pub name: &'static str,
    pub bytes: f64,
}

pub fn measured(entries: u64) -> Vec<Memory> {
    let memory = |name, fill: &dyn Fn() -> isize| {
        #[expect(clippy::cast_precision_loss, reason = "there are not so many bytes")]
        Memory { name, bytes: fill() as f64 / entries as f64 }
    };
    vec![
        memory(ours::idempotent::NAME, &|| {
            bytes_kept(|| {
                let store = store();
                inside(ours::idempotent::fill(&store, 0..entries));
                store
            })
        }),
        memory(peers::moka::FORMATTED, &|| {
            bytes_kept(|| {
                let cache = cache();
                inside(peers::moka::fill(&cache, 0..entries));
                cache
            })
        }),
        memory(peers::moka::TYPED, &|| {
            bytes_kept(|| {
                let cache = cache();
                inside(peers::moka::fill_typed(&cache, 0..entries));
                cache
            })
        }),
    ]
}
