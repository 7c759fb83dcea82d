use std::io;

use steadfast::retry;

#[retry(max_attempts = 3, delay = "1s", multiplier = 2, retry_if = broken)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
