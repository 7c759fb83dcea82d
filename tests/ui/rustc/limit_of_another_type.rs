use std::io;

use steadfast::deadline;

const LIMIT: u64 = 2;

#[deadline(LIMIT)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
