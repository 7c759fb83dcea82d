use std::io;

use steadfast::deadline;

#[deadline("00:02")]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
