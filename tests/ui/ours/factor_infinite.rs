use std::io;

use steadfast::retry;

#[retry(factor = 1e400)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
