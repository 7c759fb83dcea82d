use std::io;

use steadfast::{deadline, retry};

#[deadline("0s", reserv = "1s")]
#[retry(max = 1, base = "1 s")]
#[deadline = "2"]
#[retry]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
