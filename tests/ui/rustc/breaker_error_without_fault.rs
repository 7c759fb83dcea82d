use steadfast::circuit_breaker;

#[derive(Debug)]
struct PriceError;

impl From<steadfast::Error> for PriceError {
    fn from(_: steadfast::Error) -> Self {
        Self
    }
}

#[circuit_breaker]
async fn price() -> Result<u64, PriceError> {
    Err(PriceError)
}

fn main() {
    drop(price());
}
