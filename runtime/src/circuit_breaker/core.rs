//! One breaker at work: the machine, and what it is called, goes by and tells.

use std::{
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::broadcast;

use super::{
    keys::Keys,
    machine::Machine,
    rules::{Change, Rules},
    settings::{Settings, nanos},
    snapshot::{Snapshot, State},
    transitions::Transition,
};
use crate::{
    clock, deadline,
    locked::locked,
    random::signed_unit,
    retry::RetryBudget,
    telemetry::{self, Event},
};

/// What every handle on a breaker shares.
#[derive(Debug)]
pub(crate) struct Core {
    pub(super) machine: Machine,
    pub(super) settings: Settings,
    pub(super) name: &'static str,
    /// The key by its hash, where this is one breaker of many.
    pub(super) hash: AtomicU64,
    key: Mutex<Option<Arc<str>>>,
    /// The breaker that this is one of many of.
    root: Weak<Core>,
    // In boxes of their own, for most breakers have neither.
    keys: OnceLock<Box<Keys>>,
    budget: OnceLock<Box<RetryBudget>>,
    watchers: Mutex<Option<broadcast::Sender<Transition>>>,
}

impl Core {
    pub(super) fn new(name: &'static str, settings: Settings, root: Weak<Self>) -> Self {
        let machine = Machine::new(&settings, clock::now());
        Self {
            machine,
            settings,
            name,
            hash: AtomicU64::new(NOBODY),
            key: Mutex::new(None),
            root,
            keys: OnceLock::new(),
            budget: OnceLock::new(),
            watchers: Mutex::new(None),
        }
    }

    /// The breakers of its keys.
    #[inline]
    pub(super) fn keys(self: &Arc<Self>) -> &Keys {
        self.keys.get_or_init(|| Box::new(Keys::new(self)))
    }

    /// The breaker that this is one of many of, if it is.
    pub(super) fn root(&self) -> Option<Arc<Self>> {
        self.root.upgrade()
    }

    /// The breakers of its keys, if a key was ever asked for.
    pub(super) fn known_keys(&self) -> Option<&Keys> {
        self.keys.get().map(AsRef::as_ref)
    }

    /// Takes it from its key, if that has left it closed: from here on no call of that key is let in.
    pub(super) fn take_back(&self) -> bool {
        if self.machine.state() != State::Closed {
            return false;
        }
        let hash = self.hash.swap(NOBODY, Ordering::AcqRel);
        let is_free = self.machine.renew(self);
        if !is_free {
            self.hash.store(hash, Ordering::Release);
        }
        is_free
    }

    /// Gives it to a key, as new.
    pub(super) fn hand_to(&self, hash: u64, key: Arc<str>) {
        *locked(&self.key) = Some(key);
        *locked(&self.watchers) = None;
        if let Some(budget) = self.budget.get() {
            budget.renew();
        }
        self.hash.store(hash, Ordering::Release);
    }

    pub(super) fn key(&self) -> Option<Arc<str>> {
        locked(&self.key).clone()
    }

    /// The budget of the retries that go through this breaker.
    #[inline]
    pub(super) fn budget(&self) -> &RetryBudget {
        self.budget.get_or_init(Box::default)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let counted = self.machine.counted(clock::now());
        Snapshot { name: self.name, key: self.key(), settings: self.settings, counted }
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Transition> {
        locked(&self.watchers).get_or_insert_with(|| broadcast::channel(REMEMBERED).0).subscribe()
    }
}

impl Rules for Core {
    #[inline]
    fn settings(&self) -> &Settings {
        &self.settings
    }

    #[inline]
    fn now(&self) -> u64 {
        clock::coarse_now()
    }

    fn exact_now(&self) -> u64 {
        clock::now()
    }

    fn spread(&self) -> f64 {
        signed_unit()
    }

    fn ends(&self) -> Option<u64> {
        Some(clock::now().saturating_add(nanos(deadline::remaining()?)))
    }

    #[cold]
    fn tell(&self, change: Change) {
        let Change { from, to, cause, open_for } = change;
        let (breaker, key) = (self.name, self.key());
        let open_for = open_for.map(Duration::from_nanos);
        telemetry::raise(&Event::CircuitChanged {
            breaker,
            key: key.as_deref(),
            from,
            to,
            cause,
            open_for,
        });
        let transition = Transition { breaker, key, from, to, cause, open_for };
        let root = self.root();
        for core in [Some(self), root.as_deref()].into_iter().flatten() {
            // Out of the lock, since sending wakes whoever waits.
            let watchers = locked(&core.watchers).clone();
            if let Some(watchers) = watchers {
                // Fails if nobody watches any more.
                let _ = watchers.send(transition.clone());
            }
        }
    }
}

/// The hash of no key, and that of a breaker which is none of many.
pub(super) const NOBODY: u64 = 0;

/// The transitions that are kept for a subscriber who is late.
const REMEMBERED: usize = 64;
