//! Which functions keep their keys in a store, so that no two of one name do.

use std::{
    collections::HashMap,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{locked::locked, site::Site};

/// The functions of one store.
#[derive(Debug)]
pub(super) struct Functions {
    /// One of its own, from 1.
    number: u64,
    /// Where the function stands that each scope is the name of.
    places: Mutex<HashMap<&'static str, usize>>,
}

impl Functions {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether the function's keys are its own. Another one has the same name if it stands in the same
    /// module: the method of another type, or a function within a function.
    #[inline]
    pub(super) fn know(&self, site: &'static Site, scope: &str) -> bool {
        site.is_known_to(self.number) || self.get_to_know(site, scope)
    }

    #[cold]
    fn get_to_know(&self, site: &'static Site, scope: &str) -> bool {
        let (name, place) = (site.function(), ptr::from_ref(site).addr());
        // Who names a scope knows who else has it.
        let is_own = scope != name || *locked(&self.places).entry(name).or_insert(place) == place;
        if is_own {
            site.set_known_to(self.number);
        }
        is_own
    }
}

impl Default for Functions {
    fn default() -> Self {
        static STORES: AtomicU64 = AtomicU64::new(0);
        Self { number: 1 + STORES.fetch_add(1, Ordering::Relaxed), places: Mutex::default() }
    }
}
