use steadfast::idempotent;

enum Failure {}

#[idempotent(key = order, when = any)]
async fn charge(order: u64) -> Result<u64, Failure> {
    Ok(order)
}

fn main() {
    drop(charge(1));
}
