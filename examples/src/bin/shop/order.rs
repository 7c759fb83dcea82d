//! What shop and provider say to each other.

use serde::{Deserialize, Serialize};

/// One order to be paid.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) id: u32,
    pub(crate) cents: u32,
}

impl Order {
    /// Writes the order number `id`.
    pub(crate) fn new(id: u32) -> Self {
        Self { id, cents: 500 + id % 1_000 }
    }

    /// Names the intent to pay this order, the same in every attempt.
    pub(crate) fn key(self) -> String {
        format!("order-{}", self.id)
    }
}

/// The provider's word that an order is paid.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Receipt {
    pub(crate) charge: u32,
}

/// The header that makes a repeat harmless: the same key gets the earlier receipt.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";
