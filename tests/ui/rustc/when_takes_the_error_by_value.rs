use std::io;

use steadfast::retry;

#[retry(when = |error: io::Error| error.kind() == io::ErrorKind::TimedOut)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
