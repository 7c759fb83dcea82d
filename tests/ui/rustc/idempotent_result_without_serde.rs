use std::io;

use steadfast::idempotent;

struct Receipt;

#[idempotent(key = order)]
async fn charge(order: u64) -> io::Result<Receipt> {
    Ok(Receipt)
}

fn main() {
    drop(charge(1));
}
