use std::io;

use steadfast::idempotent;
use steadfast::idempotent::{MemoryStore, Store};

struct Transaction(Vec<u64>);

static KEYS: std::sync::LazyLock<Store> = std::sync::LazyLock::new(|| Store::new(MemoryStore::new()));

#[idempotent(key = order, tx = tx, store = KEYS)]
async fn charge(tx: &mut Transaction, order: u64) -> io::Result<u64> {
    tx.0.push(order);
    Ok(order)
}

fn main() {
    drop(charge(&mut Transaction(Vec::new()), 1));
}
