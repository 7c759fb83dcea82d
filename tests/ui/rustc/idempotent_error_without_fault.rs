use steadfast::idempotent;

struct Failure;

impl From<steadfast::Error> for Failure {
    fn from(_: steadfast::Error) -> Self {
        Self
    }
}

#[idempotent(key = order)]
async fn charge(order: u64) -> Result<u64, Failure> {
    Ok(order)
}

fn main() {
    drop(charge(1));
}
