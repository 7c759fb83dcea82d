use steadfast::{Fault, retry};

#[derive(Fault)]
struct PriceError {
    code: u16,
}

#[retry]
async fn price() -> Result<u64, PriceError> {
    Ok(3)
}

fn main() {
    drop(price());
}
