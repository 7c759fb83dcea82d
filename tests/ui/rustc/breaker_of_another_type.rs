use std::io;

use steadfast::{circuit_breaker, retry::RetryBudget};

static STRIPE: RetryBudget = RetryBudget::new();

#[circuit_breaker(with = STRIPE)]
async fn charge(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

struct Client {
    name: String,
}

impl Client {
    #[circuit_breaker(with = self.name)]
    async fn refund(&self, cents: u64) -> io::Result<u64> {
        Ok(cents)
    }
}

fn main() {
    drop(charge(1));
    drop(Client { name: String::new() }.refund(1));
}
