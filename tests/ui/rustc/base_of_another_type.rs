use std::io;

use steadfast::retry;

const PAUSE: u64 = 250;

#[retry(base = PAUSE)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
