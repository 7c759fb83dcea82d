use std::io;

use steadfast::idempotent;

#[idempotent(key = order)]
async fn charge(order: &str) -> io::Result<&str> {
    Ok(order)
}

fn main() {
    drop(charge(""));
}
