use std::io;

use steadfast::idempotent;

struct Transaction(Vec<u64>);

static KEYS: () = ();

#[idempotent(
    key = order,
    tx = tx,
    store = KEYS,
    lease = "30s",
    on_interrupted = "rerun",
    max_interruptions = 5,
    on_store_error = "run",
    when = any,
    detach,
)]
async fn charge(tx: &mut Transaction, order: u64) -> io::Result<u64> {
    tx.0.push(order);
    Ok(order)
}

fn main() {
    drop(charge(&mut Transaction(Vec::new()), 1));
}
