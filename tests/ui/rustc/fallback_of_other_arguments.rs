use std::io;

use steadfast::fallback;

#[fallback(none, other, more)]
async fn price(movie: u64, shop: &str) -> io::Result<u64> {
    Ok(movie + shop.len() as u64)
}

async fn none() -> io::Result<u64> {
    Ok(7)
}

async fn other(shop: &str, movie: u64) -> io::Result<u64> {
    Ok(movie + shop.len() as u64)
}

fn more(_: u64, _: &str, _: &io::Error, _: u8) -> u64 {
    7
}

fn main() {
    drop(price(1, ""));
}
