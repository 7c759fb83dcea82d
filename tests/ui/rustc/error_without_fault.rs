use steadfast::retry;

struct PriceError;

#[retry]
async fn price() -> Result<u64, PriceError> {
    Err(PriceError)
}

fn main() {
    drop(price());
}
