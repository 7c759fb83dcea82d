use std::io;

use steadfast::{circuit_breaker, deadline, fallback, retry};

#[deadline("2s")]
#[fallback(expr = 7)]
#[deadline("2s")]
async fn price(movie: u64) -> io::Result<u64> {
    Ok(movie)
}

fn main() {
    drop(price(1));
    let _ = unused;
}

#[deadline("1s")]
#[fallback(expr = 1)]
#[retry]
#[circuit_breaker]
async fn unused() -> io::Result<u64> {
    Ok(3)
}
