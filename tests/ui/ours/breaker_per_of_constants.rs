use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(per = ("host", 1))]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
