use std::io;

use steadfast::idempotent;

struct Amount;

#[idempotent(key = order, fingerprint = amount)]
async fn charge(order: u64, amount: Amount) -> io::Result<u64> {
    let Amount = amount;
    Ok(order)
}

fn main() {
    drop(charge(1, Amount));
}
