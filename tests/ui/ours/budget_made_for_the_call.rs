use std::io;
use steadfast::retry;

#[retry(budget = retry::RetryBudget::new().ratio(0.2))]
async fn stock() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = stock();
}
