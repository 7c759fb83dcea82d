//! The provider's books.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::order::Order;

/// What reached the provider and what it did, by order.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    /// Requests, by order.
    visits: HashMap<u32, u32>,
    /// Receipts by idempotency key.
    receipts: HashMap<String, u32>,
    /// The order of each charge; its place is the charge's number.
    charges: Vec<u32>,
}

impl Ledger {
    /// Counts a request, and answers which of its order it is.
    pub(crate) fn arrive(&self, order: Order) -> u32 {
        let mut books = self.open();
        let visits = books.visits.entry(order.id).or_default();
        *visits += 1;
        *visits
    }

    /// Charges an order, unless this key has been charged already: then it is the same charge.
    pub(crate) fn charge(&self, order: Order, key: Option<String>) -> u32 {
        let books = &mut *self.open();
        let charges = &mut books.charges;
        let mut charge = || {
            charges.push(order.id);
            u32::try_from(charges.len()).unwrap_or(u32::MAX)
        };
        match key {
            Some(key) => *books.receipts.entry(key).or_insert_with(charge),
            None => charge(),
        }
    }

    /// How many requests came.
    pub(crate) fn requests(&self) -> u32 {
        self.open().visits.values().sum()
    }

    /// Which orders were charged at least once.
    pub(crate) fn charged(&self) -> HashSet<u32> {
        self.open().charges.iter().copied().collect()
    }

    /// How many charges came on top of an order's first.
    pub(crate) fn double_charges(&self) -> usize {
        let charges = self.open().charges.len();
        charges - self.charged().len()
    }

    fn open(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_harmless_with_a_key_and_seen_without() {
        let (ledger, order) = (Ledger::default(), Order::new(7));
        let first = ledger.charge(order, Some(order.key()));
        assert_eq!(ledger.charge(order, Some(order.key())), first);
        assert_eq!(ledger.double_charges(), 0);
        assert_ne!(ledger.charge(order, None), first);
        assert_eq!(ledger.double_charges(), 1);
    }
}
