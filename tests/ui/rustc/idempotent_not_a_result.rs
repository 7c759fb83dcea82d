use steadfast::idempotent;

#[idempotent(key = order, when = any)]
async fn charge(order: u64) -> u64 {
    order
}

fn main() {
    drop(charge(1));
}
