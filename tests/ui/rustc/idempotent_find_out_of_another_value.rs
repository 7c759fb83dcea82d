use std::io;

use steadfast::idempotent::Truth;
use steadfast::idempotent;

#[idempotent(key = order, on_interrupted = find)]
async fn charge(order: u64) -> io::Result<u64> {
    Ok(order)
}

async fn find(_: u64) -> Truth<String> {
    Truth::Unknown
}

fn main() {
    drop(charge(1));
}
