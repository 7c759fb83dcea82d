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
steadfast     #[idempotent(key = order.id, tenant = self.url, fingerprint = order.cents,
                           scope = \"Till::charge_once\", store = self.keys, lease = \"2s\", wait = \"5s\")]
              #[retry(max = 4, budget = self.budget, safe)] #[deadline(\"500ms\")]
              and every attempt sends current().downstream_key()
";

/// In one process.
pub(crate) fn in_memory(orders: u32, clients: &Clients<Figures>) -> String {
    let figures = set(&ROWS, clients);
    format!(
        "checkout, keys in memory: the provider charges {orders} orders and loses one reply in twenty.\n\
         Who gets no receipt presses the button again, and one in ten presses it twice at once.\n\n\
         {LEGEND}\n{figures}\n"
    )
}

/// In one that is killed.
pub(crate) fn with_a_crash(clients: &Clients<Figures>) -> String {
    let figures = set(&ROWS, clients);
    format!(
        "checkout, keys in a file: the same, each client in a process of its own that is killed\n\
         with half of the orders through, and started again with the others.\n\n{figures}\n"
    )
}

/// In two, one of which is killed.
pub(crate) fn in_two_processes(clients: &Clients<Figures>) -> String {
    let figures = set(&ROWS, clients);
    format!(
        "checkout, keys in a server: the same, each client in two processes that share the orders. Who\n\
         presses twice does so in both; one is killed with half of its orders through, and started again.\n\n\
         {figures}\n"
    )
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
