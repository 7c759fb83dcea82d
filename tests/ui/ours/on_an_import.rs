use steadfast::retry;

#[retry]
use std::io;

async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
