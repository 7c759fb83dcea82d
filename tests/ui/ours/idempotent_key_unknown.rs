use std::io;

use steadfast::idempotent;

#[idempotent(key = odrer)]
async fn charge(order: u64) -> io::Result<u64> {
    Ok(order)
}

fn main() {
    drop(charge(1));
}
