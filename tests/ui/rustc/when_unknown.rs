use std::io;

use steadfast::retry;

fn is_transient(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

#[retry(when = is_transent)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop((price(), is_transient));
}
