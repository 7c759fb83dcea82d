use std::io;

use steadfast::retry;

const ATTEMPTS: usize = 3;

#[retry(max = ATTEMPTS)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
