use std::io;

use steadfast::fallback;

#[fallback(stale = "5m", key = "movie")]
async fn price(host: &str, movie: u64) -> io::Result<u64> {
    Ok(host.len() as u64 + movie)
}

fn main() {
    drop(price("", 1));
}
