use std::io;

use steadfast::circuit_breaker::{self, CircuitBreaker};

const STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");

#[steadfast::circuit_breaker(with = STRIPE)]
async fn charge(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

#[steadfast::circuit_breaker(with = STRIPE, per = cents)]
async fn refund(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

fn main() {
    drop(charge(1));
    drop(refund(1));
    let _ = circuit_breaker::CircuitBreaker::new("");
}
