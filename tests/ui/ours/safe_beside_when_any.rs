use std::io;
use steadfast::retry;

#[retry(safe, when = any)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = price();
}
