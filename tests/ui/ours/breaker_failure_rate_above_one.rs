use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(failure_rate = 1.5)]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
