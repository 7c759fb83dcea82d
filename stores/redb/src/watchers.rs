use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use steadfast::idempotent::Changed;
use tokio::sync::Notify;

/// Who waits for which key. Of the writer's thread alone, so that a watch begins and a change comes in
/// the order of the writes.
#[derive(Default)]
pub(crate) struct Watchers {
    /// Those who wait keep it alive.
    keys: HashMap<Vec<u8>, Weak<Notify>>,
    /// At how many keys to look whether anybody waits for them still.
    most: usize,
}

impl Watchers {
    /// Ends when the key changes: it misses no change that comes from here on.
    pub(crate) fn watch(&mut self, key: &[u8]) -> Changed {
        let notify = self.keys.get(key).and_then(Weak::upgrade).unwrap_or_else(|| {
            self.forget_the_left();
            let notify = Arc::new(Notify::new());
            self.keys.insert(key.to_vec(), Arc::downgrade(&notify));
            notify
        });
        Changed::new(notify.notified_owned())
    }

    /// Wakes all who wait for the key.
    pub(crate) fn wake(&mut self, key: &[u8]) {
        // Seldom does anybody wait.
        if !self.keys.is_empty()
            && let Some(notify) = self.keys.remove(key)
            && let Some(notify) = notify.upgrade()
        {
            notify.notify_waiters();
        }
    }

    /// So seldom that each key is looked at twice at most.
    fn forget_the_left(&mut self) {
        if self.keys.len() >= self.most {
            self.keys.retain(|_, notify| notify.strong_count() > 0);
            self.most = (2 * self.keys.len()).max(A_FEW);
        }
    }
}

const A_FEW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn misses_no_change() {
        let mut watchers = Watchers::default();
        let (one, another) = (watchers.watch(b"a"), watchers.watch(b"a"));
        watchers.wake(b"a");
        one.await;
        another.await;
        assert!(watchers.keys.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn wakes_nobody_who_waits_for_another_key() {
        let mut watchers = Watchers::default();
        let waits = watchers.watch(b"a");
        watchers.wake(b"b");
        assert!(tokio::time::timeout(std::time::Duration::from_secs(1), waits).await.is_err());
    }

    #[test]
    fn forgets_keys_that_nobody_waits_for() {
        let mut watchers = Watchers::default();
        let waits = watchers.watch(b"waits");
        for key in 0..10_000_u32 {
            drop(watchers.watch(&key.to_le_bytes()));
        }
        assert!(watchers.keys.len() <= A_FEW);
        assert!(watchers.keys.contains_key(&b"waits"[..]));
        drop(waits);
    }
}
