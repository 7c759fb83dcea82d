use std::io;

use steadfast::deadline;

#[deadline("5s")]
#[deadline("2s")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
