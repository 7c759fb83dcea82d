use std::time::Duration;

use steadfast::{Fault, retry};

#[derive(Fault)]
enum PriceError {
    #[fault(throttled = retry_afer)]
    Slow { retry_after: Duration },
}

#[retry]
async fn price() -> Result<u64, PriceError> {
    Ok(3)
}

fn main() {
    drop(price());
}
