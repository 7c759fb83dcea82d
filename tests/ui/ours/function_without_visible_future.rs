use std::io;

use steadfast::retry;

#[retry]
fn price() -> impl Future<Output = io::Result<u64>> {
    std::future::ready(Ok(3))
}

fn main() {
    drop(price());
}
