use std::io;

use steadfast::idempotent;

struct Transaction(Vec<u64>);

static KEYS: () = ();

#[idempotent(key = order, tx = tx, store = KEYS)]
async fn charge(mut tx: Transaction, order: u64) -> io::Result<u64> {
    tx.0.push(order);
    Ok(order)
}

fn main() {
    drop(charge(Transaction(Vec::new()), 1));
}
