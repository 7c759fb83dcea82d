use std::io;

use steadfast::{deadline, retry as again};

#[deadline("2s")]
#[again(max = 5)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
