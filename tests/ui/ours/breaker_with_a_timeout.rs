use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(timeout = "5s")]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
