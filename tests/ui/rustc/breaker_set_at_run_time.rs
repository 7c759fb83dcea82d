use std::io;

use steadfast::circuit_breaker;

struct Client {
    rate: f64,
}

impl Client {
    #[circuit_breaker(failure_rate = self.rate)]
    async fn refund(&self, cents: u64) -> io::Result<u64> {
        Ok(cents)
    }
}

fn main() {
    drop(Client { rate: 0.5 }.refund(1));
}
