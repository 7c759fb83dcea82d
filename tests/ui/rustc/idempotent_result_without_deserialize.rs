use std::io;

use serde::Serialize;
use steadfast::idempotent;

#[derive(Serialize)]
struct Receipt {
    id: u64,
}

#[idempotent(key = order)]
async fn charge(order: u64) -> io::Result<Receipt> {
    Ok(Receipt { id: order })
}

fn main() {
    drop(charge(1));
}
