use std::io;

use steadfast::retry;

#[retry(mx = 5, max = 0, base = 10, cap = "5parsecs", jitter = "ful", factor = 0.5, safe = true)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
