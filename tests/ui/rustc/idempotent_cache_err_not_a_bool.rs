use steadfast::idempotent;

#[idempotent(key = order, cache_err = |error| error, when = any)]
async fn charge(order: u64) -> Result<u64, Failure> {
    Ok(order)
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Failure;

impl From<steadfast::Error> for Failure {
    fn from(_: steadfast::Error) -> Self {
        Self
    }
}

fn main() {
    drop(charge(1));
}
