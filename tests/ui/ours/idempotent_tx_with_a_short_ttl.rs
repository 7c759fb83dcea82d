use std::io;

use steadfast::idempotent;

struct Transaction(Vec<u64>);

#[idempotent(key = order, tx = tx, store = KEYS, ttl = "2s")]
async fn charge(tx: &mut Transaction, order: u64) -> io::Result<u64> {
    tx.0.push(order);
    Ok(order)
}

fn main() {
    drop(charge(&mut Transaction(Vec::new()), 1));
}
