//! Closures without a type: it is known.

use std::io;

use steadfast::retry;

#[retry(
    when = |error| error.kind() == io::ErrorKind::TimedOut,
    when_ok = |price| *price == 0,
    on_retry = |retrying| println!("{} {:?}", retrying.attempt, retrying.outcome.is_ok()),
)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
