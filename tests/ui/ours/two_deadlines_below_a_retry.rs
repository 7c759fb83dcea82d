use std::io;

use steadfast::{deadline, retry};

#[deadline("9s")]
#[retry]
#[deadline("2s")]
#[deadline("1s")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
