use std::io;

use steadfast::fallback;

#[fallback(text, later, error, expr = "seven")]
async fn price(movie: u64) -> io::Result<u64> {
    Ok(movie)
}

fn text(_: u64) -> String {
    String::new()
}

async fn later(_: u64) -> u32 {
    7
}

fn error(_: u64) -> Result<u64, String> {
    Ok(7)
}

fn main() {
    drop(price(1));
}
