use std::io;

use steadfast::retry;

#[retry(factor = 0.5)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
