use std::io;

use steadfast::idempotent;

#[idempotent(key = order, cache_err(is_final))]
async fn charge(order: u64) -> io::Result<u64> {
    Ok(order)
}

fn is_final(_: &io::Error) -> bool {
    true
}

fn main() {
    drop(charge(1));
}
