use std::io;

use steadfast::idempotent::MemoryStore;
use steadfast::idempotent;

static STORE: std::sync::LazyLock<MemoryStore> = std::sync::LazyLock::new(MemoryStore::new);

#[idempotent(key = order, store = STORE)]
async fn charge(order: u64) -> io::Result<u64> {
    Ok(order)
}

fn main() {
    drop(charge(1));
}
