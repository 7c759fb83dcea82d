use std::io;

use steadfast::idempotent;

struct Order {
    id: u64,
    amount: u64,
}

#[idempotent(key = order.id, lease = "0s")]
async fn charge(order: &Order) -> io::Result<u64> {
    Ok(order.id + order.amount)
}

fn main() {
    drop(charge(&Order { id: 1, amount: 2 }));
}
