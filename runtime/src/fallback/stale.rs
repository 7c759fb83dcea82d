//! The last good values of a function, by key.

use std::{
    any::Any,
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    mem::take,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::time::Instant;

use crate::locked::locked;

/// What a function has last returned for each key.
pub struct Stale {
    hashers: OnceLock<[RandomState; 2]>,
    shelf: Mutex<Option<Shelf>>,
}

/// The place of one key's value.
pub struct Kept {
    stale: &'static Stale,
    key: u128,
    /// The order in which the calls began: a late one does not take the place of a newer value.
    turn: u64,
}

/// A value that can be kept and handed out again; every `T: Clone + Send + Sync + 'static` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`stale` cannot keep a `{Self}`",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "the last good value is kept beside the function, and each caller gets a clone: for one that is large, return an `Arc`"
)]
pub trait Keep: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Keep for T {}

#[derive(Default)]
struct Shelf {
    turns: u64,
    values: HashMap<u128, Good>,
}

#[derive(Clone)]
struct Good {
    // In a function that is generic, values of several types meet here.
    value: Arc<dyn Any + Send + Sync>,
    turn: u64,
    at: Instant,
}

impl Stale {
    /// Nothing kept yet.
    #[expect(clippy::new_without_default, reason = "an expansion makes one, in a `static`")]
    pub const fn new() -> Self {
        Self { hashers: OnceLock::new(), shelf: Mutex::new(None) }
    }

    /// The place of a key's value.
    ///
    /// Keys are told apart by 128 bits of hash, keyed by chance for each process, so that no two
    /// meet and no key has to be cloned.
    pub fn of<K: Hash + ?Sized>(&'static self, key: &K) -> Kept {
        let hashers = self.hashers.get_or_init(|| [RandomState::new(), RandomState::new()]);
        let [high, low] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(key)));
        let turn = self.with_shelf(|shelf| {
            shelf.turns += 1;
            shelf.turns
        });
        Kept { stale: self, key: high << 64 | low, turn }
    }

    fn with_shelf<T>(&self, with: impl FnOnce(&mut Shelf) -> T) -> T {
        with(locked(&self.shelf).get_or_insert_default())
    }
}

impl Kept {
    /// Keeps the value of a success.
    pub fn keep<T: Keep, E>(&self, outcome: &Result<T, E>) {
        let Ok(value) = outcome else { return };
        let value = Good { value: Arc::new(value.clone()), turn: self.turn, at: Instant::now() };
        // Dropped after the lock, as what is dropped is the user's.
        let _before = self.stale.with_shelf(|shelf| shelf.put(self.key, value));
    }

    /// The value and its age, if there is one that is not older than this.
    pub(super) fn find<T: Keep>(&self, max_age: Duration) -> Option<(T, Duration)> {
        let Good { value, at, .. } =
            self.stale.with_shelf(|shelf| shelf.values.get(&self.key).cloned())?;
        let age = at.elapsed();
        (age <= max_age).then_some((value.downcast_ref::<T>()?.clone(), age))
    }
}

impl Shelf {
    /// Puts a value in its place unless a newer one is there, and hands back what had to go.
    fn put(&mut self, key: u128, value: Good) -> Vec<Good> {
        if self.values.get(&key).is_some_and(|there| there.turn > value.turn) {
            return vec![value];
        }
        let mut gone = Vec::new();
        if self.values.len() >= MOST_KEYS && !self.values.contains_key(&key) {
            gone = self.drop_the_older_half();
        }
        gone.extend(self.values.insert(key, value));
        gone
    }

    fn drop_the_older_half(&mut self) -> Vec<Good> {
        let mut turns: Vec<u64> = self.values.values().map(|value| value.turn).collect();
        let middle = turns.len() / 2;
        let (_, median, _) = turns.select_nth_unstable(middle);
        let median = *median;
        let (old, young): (HashMap<_, _>, _) =
            take(&mut self.values).into_iter().partition(|(_, value)| value.turn < median);
        self.values = young;
        old.into_values().collect()
    }
}

/// A bound on what strangers can make a function remember.
const MOST_KEYS: usize = 10_000;

impl fmt::Debug for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stale").finish_non_exhaustive()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}
