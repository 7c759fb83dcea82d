use std::io;

use steadfast::idempotent;

const DAY: u64 = 86_400;

#[idempotent(key = order, ttl = DAY)]
async fn charge(order: u64) -> io::Result<u64> {
    Ok(order)
}

fn main() {
    drop(charge(1));
}
