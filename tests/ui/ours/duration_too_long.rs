use std::io;

use steadfast::retry;

#[retry(cap = "99999999999999999999s")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
