use std::io;

use steadfast::{deadline, retry};

#[deadline("2s", crate = ::steadfast)]
#[retry(crate = steadfast)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
