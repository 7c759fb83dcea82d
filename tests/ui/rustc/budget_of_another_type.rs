use std::io;

use steadfast::retry;

static STRIPE: u32 = 10;

#[retry(budget = STRIPE)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
