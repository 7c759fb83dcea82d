use std::io;

use steadfast::retry;

#[retry(max = 5_000_000_000)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
