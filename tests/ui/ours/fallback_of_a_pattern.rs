use std::io;

use steadfast::fallback;

#[fallback(cached)]
async fn price((movie, day): (u64, u64), _: &str) -> io::Result<u64> {
    Ok(movie + day)
}

fn cached(_: (u64, u64), _: &str) -> u64 {
    7
}

fn main() {
    drop(price((1, 1), ""));
}
