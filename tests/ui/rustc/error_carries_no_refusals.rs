use steadfast::{Fault, deadline, retry};

#[derive(Fault)]
enum PriceError {
    #[fault(transient)]
    Busy,
}

#[deadline("2s")]
#[retry]
async fn price() -> Result<u64, PriceError> {
    Err(PriceError::Busy)
}

fn main() {
    drop(price());
}
