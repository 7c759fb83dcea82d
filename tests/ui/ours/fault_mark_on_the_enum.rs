use steadfast::{Fault, retry};

#[derive(Fault)]
#[fault(transient)]
enum PriceError {
    #[fault(transient)]
    Busy,
    #[fault(permanent)]
    Unknown,
}

#[retry]
async fn price() -> Result<u64, PriceError> {
    Ok(3)
}

fn main() {
    drop(price());
}
