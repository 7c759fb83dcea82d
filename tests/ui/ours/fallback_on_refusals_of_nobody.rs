use std::io;

use steadfast::{fallback, retry};

#[fallback(on = "refused", expr = 7)]
#[retry]
async fn price(movie: u64) -> io::Result<u64> {
    Ok(movie)
}

fn main() {
    drop(price(1));
}
