use std::io;

use steadfast::retry;

#[retry(backoff = "exp", jitter = "decorrelated")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
