//! The keys of calls that are replayed, the same for all contenders.

use std::sync::atomic::{AtomicU64, Ordering};

/// A thousand keys that no other thread asks for.
#[derive(Clone, Copy)]
pub struct Keys {
    first: u64,
}

pub fn of_thread() -> Keys {
    static THREADS: AtomicU64 = AtomicU64::new(1);
    Keys { first: THREADS.fetch_add(1, Ordering::Relaxed) * 1_000_000 }
}

impl Keys {
    pub fn all(self) -> impl Iterator<Item = u64> {
        self.first..self.first + COUNT
    }

    pub fn nth(self, id: u64) -> u64 {
        self.first + id % COUNT
    }
}

/// A thousand keys of 36 characters, as a UUID has.
pub fn texts() -> Vec<String> {
    (0..COUNT).map(|id| format!("018f4f6e-7d3a-7c2b-9a1e-{id:012x}")).collect()
}

pub fn nth(texts: &[String], id: u64) -> &str {
    let at = usize::try_from(id % COUNT).expect("it is small");
    &texts[at]
}

const COUNT: u64 = 1_000;

/// More than is ever filled in: nothing is evicted.
pub const CAPACITY: usize = 2_000_000;
