use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(per = hots)]
async fn charge(host: u64) -> io::Result<u64> {
    Ok(host)
}

fn main() {
    drop(charge(1));
}
