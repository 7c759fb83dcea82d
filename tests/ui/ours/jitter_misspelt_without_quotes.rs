use std::io;

use steadfast::retry;

#[retry(jitter = ful)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
