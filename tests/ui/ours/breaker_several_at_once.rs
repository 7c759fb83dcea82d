use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(failure_rate = 2, probes = 0, open_fr = "1s", window = "1 parsec")]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
