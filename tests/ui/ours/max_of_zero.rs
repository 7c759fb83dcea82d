use std::io;

use steadfast::retry;

#[retry(max = 0)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
