//! The tables of the checkout.

use super::Figures;
use crate::{
    report::{Row, set},
    run::Clients,
};

/// Says who the columns are.
const LEGEND: &str = "\
plain         one request, no key
loop by hand  four attempts of at most 500 ms, 100 ms apart, no key
steadfast     #[idempotent(key = order.id, fingerprint = order.cents, scope = \"Till::charge_once\",
                           store = self.keys, lease = \"2s\", wait = \"5s\")]
              #[retry(max = 4, budget = self.budget, safe)] #[deadline(\"500ms\")]
              and every attempt sends current().downstream_key()
";

/// Sets the story and the figures, one client beside the other.
pub(crate) fn table(orders: u32, crash: bool, clients: &Clients<Figures>) -> String {
    let story = format!(
        "the provider charges {orders} orders and loses one reply in twenty. Who gets no receipt\n\
         presses the button again, and one in ten presses it twice at once."
    );
    let figures = set(&ROWS, clients);
    if crash {
        format!(
            "checkout, keys in a file: the same, each client in a process of its own that is killed\n\
             with half of the orders through, and started again with the others.\n\n{figures}\n"
        )
    } else {
        format!("checkout, keys in memory: {story}\n\n{LEGEND}\n{figures}\n")
    }
}

const ROWS: [Row<Figures>; 7] = [
    ("orders", |f| f.orders.to_string()),
    ("calls", |f| f.calls.to_string()),
    ("requests at the provider", |f| f.requests.to_string()),
    ("answers of an earlier call", |f| f.replays.to_string()),
    ("orders without a receipt", |f| f.unserved.to_string()),
    ("orders with two receipts that differ", |f| f.differing.to_string()),
    ("double charges", |f| f.double_charges.to_string()),
];
