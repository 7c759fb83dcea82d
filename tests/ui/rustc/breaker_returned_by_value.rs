use std::io;

use steadfast::{circuit_breaker, circuit_breaker::CircuitBreaker};

fn breaker_of(name: &'static str) -> CircuitBreaker {
    CircuitBreaker::new(name)
}

#[circuit_breaker(with = breaker_of("stripe"))]
async fn charge(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

fn main() {
    drop(charge(1));
}
