use std::sync::atomic::{AtomicU64, Ordering};

/// One annotated function, as its expansion declares it.
///
/// Every event and every refusal names the function by it, so that what is said of a function is
/// never an allocated string.
#[derive(Debug)]
pub struct Site {
    function: &'static str,
    /// The key store that has last been told of the function.
    store: AtomicU64,
}

impl Site {
    /// Names a function by its full path, such as `shop::client::charge`.
    pub const fn new(function: &'static str) -> Self {
        Self { function, store: AtomicU64::new(0) }
    }

    /// The name.
    pub const fn function(&self) -> &'static str {
        self.function
    }

    /// Whether the store of this number has last been told of the function.
    pub(crate) fn is_known_to(&self, store: u64) -> bool {
        self.store.load(Ordering::Relaxed) == store
    }

    pub(crate) fn set_known_to(&self, store: u64) {
        self.store.store(store, Ordering::Relaxed);
    }
}
