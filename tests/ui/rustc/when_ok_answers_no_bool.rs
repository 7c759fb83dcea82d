use std::io;

use steadfast::retry;

#[retry(when_ok = |price| price + 1)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
