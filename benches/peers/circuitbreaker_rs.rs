use std::time::Duration;

use circuitbreaker_rs::{BreakerError, CircuitBreaker, DefaultPolicy};

use super::{CALLS, HOUR, OPEN_FOR, RATE};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

type Breaker = CircuitBreaker<DefaultPolicy, ApiError>;

pub fn breaker() -> Contender {
    breaker_shared(closed())
}

pub fn breaker_shared(breaker: Breaker) -> Contender {
    Contender::new(NAME, || async move |id| Ok(breaker.call_async(|| UP.fetch(id)).await?))
}

pub fn breaker_open() -> Contender {
    let breaker = configured(HOUR);
    Contender::refused(NAME, || async move |id| Ok(breaker.call_async(|| DOWN.fetch(id)).await?))
}

pub fn closed() -> Breaker {
    configured(OPEN_FOR)
}

/// Without a window: nothing tells the one of its `TimeBasedPolicy` of a call, so that a breaker
/// with that policy never opens.
fn configured(open_for: Duration) -> Breaker {
    Breaker::builder()
        .failure_threshold(RATE.into())
        .min_throughput(CALLS.into())
        .cooldown(open_for)
        .probe_interval(1)
        .consecutive_failures(u64::MAX)
        .consecutive_successes(1)
        .build()
}

impl From<BreakerError<Self>> for ApiError {
    fn from(error: BreakerError<Self>) -> Self {
        match error {
            BreakerError::Operation(error) => error,
            BreakerError::Open | BreakerError::Internal(_) => Self::Open,
        }
    }
}

const NAME: &str = "circuitbreaker-rs 0.1";
