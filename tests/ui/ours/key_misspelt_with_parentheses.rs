use std::io;

use steadfast::deadline;

#[deadline("2s", reserv("50ms"))]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
