use std::io;
use steadfast::{retry, retry::RetryBudget};

const STRIPE: RetryBudget = RetryBudget::new();

#[retry(budget = STRIPE)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = price();
}
