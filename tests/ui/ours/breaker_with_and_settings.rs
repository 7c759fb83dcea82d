use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(with = STRIPE, open_for = "1s", probes = 2)]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
