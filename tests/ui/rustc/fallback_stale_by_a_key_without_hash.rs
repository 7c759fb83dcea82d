use std::io;

use steadfast::fallback;

#[fallback(stale = "5m", key = weight)]
async fn price(weight: f64) -> io::Result<u64> {
    Ok(weight as u64)
}

fn main() {
    drop(price(1.0));
}
