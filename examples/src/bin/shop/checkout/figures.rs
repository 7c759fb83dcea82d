//! What a checkout comes to.

use std::collections::{HashMap, HashSet};

use super::customer::Answered;
use crate::provider::Ledger;

/// What a checkout comes to.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) orders: usize,
    /// How often the button was pressed.
    pub(crate) calls: u32,
    /// Requests that reached the provider.
    pub(crate) requests: u32,
    /// Answers that were those of an earlier call.
    pub(crate) replays: u32,
    /// Orders for which nobody has a receipt.
    pub(crate) unserved: usize,
    /// Orders for which there are two receipts that differ.
    pub(crate) differing: usize,
    pub(crate) double_charges: usize,
}

impl Figures {
    /// Adds up what the customers saw and what the provider did.
    pub(crate) fn new(answered: &[Answered], books: &Ledger) -> Self {
        let mut receipts: HashMap<u32, HashSet<u32>> = HashMap::new();
        for answered in answered {
            receipts.entry(answered.order).or_default().extend(&answered.charges);
        }
        let count = |wanted: fn(usize) -> bool| {
            receipts.values().filter(|charges| wanted(charges.len())).count()
        };
        Self {
            orders: receipts.len(),
            calls: answered.iter().map(|answered| answered.calls).sum(),
            requests: books.requests(),
            replays: answered.iter().map(|answered| answered.replays).sum(),
            unserved: count(|charges| charges == 0),
            differing: count(|charges| charges > 1),
            double_charges: books.double_charges(),
        }
    }
}
