use std::io;

use steadfast::retry;

const GROWTH: u32 = 2;

#[retry(factor = GROWTH)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
