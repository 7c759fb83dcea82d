use std::io;

use steadfast::retry;

#[retry]
async fn price() -> io::Result<u64> {
    3
}

fn main() {
    drop(price());
}
