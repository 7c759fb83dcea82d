use std::io;

use steadfast::deadline;

mod ours {
    pub use core::prelude::v1::test as retry;
}
use ours::retry;

#[deadline("2s")]
#[retry]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
