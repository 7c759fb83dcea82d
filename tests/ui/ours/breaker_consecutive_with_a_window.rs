use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(consecutive = 5, window = "60s", min_calls = 3)]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
