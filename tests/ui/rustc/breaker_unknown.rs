use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(with = STRIP)]
async fn charge(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

fn main() {
    drop(charge(1));
}
