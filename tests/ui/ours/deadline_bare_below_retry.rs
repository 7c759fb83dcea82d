use std::io;
use steadfast::{deadline, retry};

#[deadline("2s")]
#[retry]
#[deadline]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = price();
}
