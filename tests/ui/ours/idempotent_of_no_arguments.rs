use std::io;

use steadfast::idempotent;

#[idempotent(key = request_id())]
async fn charge() -> io::Result<u64> {
    Ok(1)
}

fn request_id() -> u64 {
    1
}

fn main() {
    drop(charge());
}
