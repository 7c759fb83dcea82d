use std::io;

use steadfast::{deadline, retry};

#[retry]
#[deadline("2s")]
#[retry(max = 5)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
