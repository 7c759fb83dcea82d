use steadfast::{Fault, retry};

#[derive(Fault)]
enum PriceError {
    #[fault = "transient"]
    Busy,
}

#[retry]
async fn price() -> Result<u64, PriceError> {
    Ok(3)
}

fn main() {
    drop(price());
}
