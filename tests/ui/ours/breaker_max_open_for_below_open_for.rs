use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(open_for = "30s", max_open_for = "10s")]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
