use std::io;

use steadfast::retry;

#[retry(backoff = "linear", factor = 3)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
