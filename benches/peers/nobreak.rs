use std::{sync::Arc, time::Duration};

use nobreak::{CircuitBreaker, CircuitError};

use super::{CALLS, HOUR, OPEN_FOR};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

pub fn breaker() -> Contender {
    breaker_shared(closed())
}

pub fn breaker_shared(breaker: Arc<CircuitBreaker>) -> Contender {
    Contender::new(NAME, || async move |id| Ok(breaker.call_async(|| UP.fetch(id)).await?))
}

pub fn breaker_open() -> Contender {
    let breaker = configured(HOUR);
    Contender::refused(NAME, || async move |id| Ok(breaker.call_async(|| DOWN.fetch(id)).await?))
}

pub fn closed() -> Arc<CircuitBreaker> {
    Arc::new(configured(OPEN_FOR))
}

/// It knows no rate: it opens after so many failures in a row.
fn configured(open_for: Duration) -> CircuitBreaker {
    nobreak::builder()
        .with_failure_threshold(CALLS.into())
        .with_success_threshold(1)
        .with_open_duration(open_for)
        .build()
}

impl From<CircuitError<Self>> for ApiError {
    fn from(error: CircuitError<Self>) -> Self {
        error.into_inner().unwrap_or(Self::Open)
    }
}

const NAME: &str = "nobreak 0.1";
