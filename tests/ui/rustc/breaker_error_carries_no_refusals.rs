use steadfast::{Fault, circuit_breaker};

#[derive(Fault)]
enum PriceError {
    #[fault(transient)]
    Busy,
}

#[circuit_breaker]
async fn price() -> Result<u64, PriceError> {
    Err(PriceError::Busy)
}

fn main() {
    drop(price());
}
