use std::io;

use steadfast::fallback;

#[fallback(bestseler)]
async fn price(movie: u64) -> io::Result<u64> {
    Ok(movie)
}

fn bestseller(_: u64) -> u64 {
    7
}

fn main() {
    drop(price(1));
    bestseller(1);
}
