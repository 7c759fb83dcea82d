use std::io;

use steadfast::{retry, retry::RetryBudget};

static STRIPE: RetryBudget = RetryBudget::new();

#[retry(budget = STRIP)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

#[retry(budget = STRIPE)]
async fn tax() -> io::Result<u64> {
    Ok(1)
}

fn main() {
    drop((price(), tax()));
}
