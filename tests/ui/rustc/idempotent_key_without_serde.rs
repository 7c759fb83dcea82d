use std::io;

use steadfast::idempotent;

struct Order;

#[idempotent(key = order)]
async fn charge(order: Order) -> io::Result<u64> {
    Ok(1)
}

fn main() {
    drop(charge(Order));
}
