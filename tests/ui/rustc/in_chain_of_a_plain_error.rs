use steadfast::{fault, retry};

#[derive(Debug)]
struct PriceError;

#[retry(when = fault::in_chain)]
async fn price() -> Result<u64, PriceError> {
    Err(PriceError)
}

fn main() {
    drop(price());
}
