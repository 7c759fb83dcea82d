//! The calls of one process that wait for the same key of a store which does not tell of changes: one of
//! them asks for all.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

use super::key::Key;
use crate::{locked::locked, random::between};

/// The crowds of a store, by key.
#[derive(Default)]
pub(super) struct Crowds {
    /// So that an owner whom nobody waits for takes no lock.
    keys: AtomicUsize,
    crowds: Mutex<HashMap<Key, Gathered>>,
}

struct Gathered {
    crowd: Arc<Crowd>,
    members: usize,
}

struct Crowd {
    /// Whose turn it is to ask.
    turn: Arc<Semaphore>,
    /// The next pause before that, in microseconds.
    pause: AtomicU64,
    changed: Notify,
}

impl Crowds {
    pub(super) fn join<'a>(&'a self, key: &Key) -> Member<'a> {
        let mut crowds = locked(&self.crowds);
        let gathered = crowds.entry(key.clone()).or_insert_with(|| {
            self.keys.fetch_add(1, Ordering::Relaxed);
            let turn = Arc::new(Semaphore::new(1));
            let pause = AtomicU64::new(FIRST_PAUSE);
            Gathered { crowd: Arc::new(Crowd { turn, pause, changed: Notify::new() }), members: 0 }
        });
        gathered.members += 1;
        let crowd = Arc::clone(&gathered.crowd);
        Member { crowds: self, key: key.clone(), crowd, turn: None }
    }

    /// Somebody knows that a key has changed.
    pub(super) fn tell(&self, key: &Key) {
        if self.keys.load(Ordering::Relaxed) == 0 {
            return;
        }
        let crowd = locked(&self.crowds).get(key).map(|gathered| Arc::clone(&gathered.crowd));
        if let Some(crowd) = crowd {
            crowd.changed.notify_waiters();
        }
    }
}

/// One that waits.
pub(super) struct Member<'a> {
    crowds: &'a Crowds,
    key: Key,
    crowd: Arc<Crowd>,
    /// While it is this one's turn to ask.
    turn: Option<OwnedSemaphorePermit>,
}

impl Member<'_> {
    /// Waits until somebody has told of a change, until it is this one's turn to ask, or until then.
    pub(super) async fn wait(&mut self, until: Instant) {
        let mut changed = pin!(self.crowd.changed.notified());
        changed.as_mut().enable();
        let mut sleep = pin!(sleep_until(until));
        if self.turn.is_none() {
            let mut turn = pin!(Arc::clone(&self.crowd.turn).acquire_owned());
            let taken = poll_fn(|cx| {
                if changed.as_mut().poll(cx).is_ready() || sleep.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                turn.as_mut().poll(cx).map(Result::ok)
            });
            self.turn = taken.await;
            if self.turn.is_none() {
                return;
            }
        }
        sleep.as_mut().reset(until.min(Instant::now() + self.crowd.next_pause()));
        poll_fn(|cx| {
            let has_changed = changed.as_mut().poll(cx).is_ready();
            if has_changed { Poll::Ready(()) } else { sleep.as_mut().poll(cx) }
        })
        .await;
    }

    /// Tells the others that it was worth asking.
    pub(super) fn tell(&self) {
        self.crowd.changed.notify_waiters();
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let mut crowds = locked(&self.crowds.crowds);
        let Some(gathered) = crowds.get_mut(&self.key) else { return };
        gathered.members -= 1;
        if gathered.members == 0 {
            crowds.remove(&self.key);
            self.crowds.keys.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Crowd {
    /// From 25 ms to 1 s, spread over its second half.
    fn next_pause(&self) -> Duration {
        let pause = self.pause.load(Ordering::Relaxed);
        self.pause.store((pause * 2).min(LONGEST_PAUSE), Ordering::Relaxed);
        Duration::from_micros(between(pause / 2, pause))
    }
}

impl fmt::Debug for Crowds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowds").field("keys", &self.keys).finish_non_exhaustive()
    }
}

const FIRST_PAUSE: u64 = 25_000;
const LONGEST_PAUSE: u64 = 1_000_000;
