use std::{cell::Cell, io};

use steadfast::retry;

fn spawn(_: impl Send) {}

#[retry]
async fn price(seen: Cell<u64>) -> io::Result<u64> {
    tokio::task::yield_now().await;
    Ok(seen.get())
}

fn main() {
    spawn(price(Cell::new(3)));
}
