//! How a lock is taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock: nothing panics while it holds one of ours, and if it did, the next would go on.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
