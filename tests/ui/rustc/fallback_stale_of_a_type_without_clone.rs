use std::io;

use steadfast::fallback;

struct Price(u64);

#[fallback(stale = "5m", key = movie)]
async fn price(movie: u64) -> io::Result<Price> {
    Ok(Price(movie))
}

fn main() {
    drop(price(1));
    let Price(_) = Price(1);
}
