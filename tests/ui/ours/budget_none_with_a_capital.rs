use std::io;

use steadfast::retry;

#[retry(budget = None)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
