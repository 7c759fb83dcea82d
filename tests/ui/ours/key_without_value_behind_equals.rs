use std::io;

use steadfast::retry;

#[retry(max = , base = "1s")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
