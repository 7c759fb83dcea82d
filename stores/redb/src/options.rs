use std::path::Path;

use crate::{durability::Durability, error::OpenError, open::Opener, store::RedbStore};

/// How a file of keys is opened.
///
/// | setting | default |
/// |---|---|
/// | [`durability`](Self::durability) | [`Durability::Full`] |
/// | [`max_keys`](Self::max_keys) | ten million |
/// | [`cache_bytes`](Self::cache_bytes) | 64 MiB |
///
/// # Example: all of them
///
/// ```
/// use steadfast_redb::{Durability, Options};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("keys.redb");
/// let store = Options::new()
///     .durability(Durability::Process)
///     .max_keys(1_000_000)
///     .cache_bytes(16 << 20)
///     .open(path)?;
/// assert_eq!(store.durability(), Durability::Process);
/// # Ok::<(), steadfast_redb::OpenError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Options {
    durability: Durability,
    max_keys: u64,
    cache_bytes: usize,
}

impl Options {
    /// The defaults.
    #[expect(clippy::new_without_default, reason = "RedbStore::options is the way here")]
    pub const fn new() -> Self {
        Self { durability: Durability::Full, max_keys: 10_000_000, cache_bytes: 64 << 20 }
    }

    /// Sets what a claim or a result survives, once the caller has heard of it.
    #[must_use]
    pub const fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Limits the keys. A key that has not expired is never forgotten to make room for another: when
    /// there are so many, a new one is refused with
    /// [`StoreError::Full`](steadfast::idempotent::StoreError::Full).
    #[must_use]
    pub const fn max_keys(mut self, most: u64) -> Self {
        self.max_keys = most;
        self
    }

    /// Limits the memory in which pages of the file are kept.
    #[must_use]
    pub const fn cache_bytes(mut self, most: usize) -> Self {
        self.cache_bytes = most;
        self
    }

    /// Opens a file, or makes one. It blocks until that is done.
    ///
    /// # Errors
    ///
    /// [`OpenError`], as of [`RedbStore::open`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<RedbStore, OpenError> {
        let path = path.as_ref();
        self.start(Opener::of_path(path, self.durability, self.cache_bytes), path)
    }

    pub(crate) fn start(self, opener: Opener, path: &Path) -> Result<RedbStore, OpenError> {
        RedbStore::start(opener, path.to_owned(), self.durability, self.max_keys)
    }
}
