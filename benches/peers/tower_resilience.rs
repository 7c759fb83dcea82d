use std::{sync::Arc, time::Duration};

use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::{
    circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer},
    retry::{RetryBudget, RetryBudgetBuilder, RetryLayer},
    timelimiter::{TimeLimiterError, TimeLimiterLayer},
};

use super::{BASE, CALLS, FIVE, HOUR, LIMIT, MAX, OPEN_FOR, RATE};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

pub fn retry() -> Contender {
    Contender::new("tower-resilience 0.13 retry", || {
        let mut service = thrice(None).layer(service_fn(|id| UP.fetch(id)));
        async move |id| service.ready().await?.call(id).await
    })
}

pub fn retry_budget(budget: Arc<dyn RetryBudget>) -> Contender {
    Contender::new("tower-resilience 0.13 retry, budget", || {
        let mut service = thrice(Some(budget)).layer(service_fn(|id| UP.fetch(id)));
        async move |id| service.ready().await?.call(id).await
    })
}

/// Ten retries a second, as ours by default.
pub fn budget() -> Arc<dyn RetryBudget> {
    RetryBudgetBuilder::new()
        .token_bucket()
        .tokens_per_second(10.0)
        .max_tokens(100)
        .build()
        .expect("the numbers are its own defaults")
}

pub fn six_attempts() -> Contender {
    Contender::new("tower-resilience 0.13 retry", || {
        let policy = RetryLayer::<u64, u64, ApiError>::builder()
            .max_attempts(1 + FIVE)
            .fixed_backoff(Duration::ZERO)
            .retry_on(ApiError::is_transient)
            .build();
        let mut service = policy.layer(service_fn(|id| DOWN.fetch(id)));
        async move |id| service.ready().await?.call(id).await
    })
}

pub fn deadline() -> Contender {
    Contender::new("tower-resilience 0.13 timelimiter", || {
        let mut service = limit().layer(service_fn(|id| UP.fetch(id)));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn deadline_pending() -> Contender {
    Contender::new("tower-resilience 0.13 timelimiter", || {
        let mut service = limit().layer(service_fn(|id| UP.fetch_later(id)));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn both() -> Contender {
    Contender::new("tower-resilience 0.13 timelimiter + retry", || {
        let mut service = limit().layer(thrice(None).layer(service_fn(|id| UP.fetch(id))));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn breaker() -> Contender {
    breaker_shared(&closed())
}

pub fn breaker_shared(breaker: &CircuitBreakerLayer) -> Contender {
    Contender::new(BREAKER, || {
        let mut service = breaker.layer(service_fn(|id| UP.fetch(id)));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn breaker_open() -> Contender {
    Contender::refused(BREAKER, || {
        let mut service = configured(HOUR).layer(service_fn(|id| DOWN.fetch(id)));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn all_three() -> Contender {
    all_three_shared(&closed())
}

pub fn all_three_shared(breaker: &CircuitBreakerLayer) -> Contender {
    Contender::new("tower-resilience 0.13 timelimiter + retry + circuitbreaker", || {
        let policy = RetryLayer::builder()
            .max_attempts(MAX)
            .exponential_backoff(BASE)
            .retry_on(is_transient)
            .build();
        let breaker = breaker.layer(service_fn(|id| UP.fetch(id)));
        let mut service = limit().layer(policy.layer(breaker));
        async move |id| Ok(service.ready().await?.call(id).await?)
    })
}

pub fn closed() -> CircuitBreakerLayer {
    configured(OPEN_FOR)
}

/// With its default window, of calls, though that forgets them only when the breaker changes state:
/// the one of time walks through all calls of its minute at every call.
fn configured(open_for: Duration) -> CircuitBreakerLayer {
    let (layer, _) = CircuitBreakerLayer::builder()
        .failure_rate_threshold(RATE.into())
        .sliding_window_size(CALLS.into())
        .wait_duration_in_open(open_for)
        .permitted_calls_in_half_open(1)
        .build_with_handle()
        .expect("the numbers are in range");
    layer
}

fn thrice(budget: Option<Arc<dyn RetryBudget>>) -> RetryLayer<u64, u64, ApiError> {
    let policy = RetryLayer::builder()
        .max_attempts(MAX)
        .exponential_backoff(BASE)
        .retry_on(ApiError::is_transient);
    match budget {
        Some(budget) => policy.budget(budget).build(),
        None => policy.build(),
    }
}

fn is_transient(error: &CircuitBreakerError<ApiError>) -> bool {
    matches!(error, CircuitBreakerError::Inner(error) if error.is_transient())
}

fn limit() -> TimeLimiterLayer {
    TimeLimiterLayer::builder().timeout_duration(LIMIT).build()
}

impl From<TimeLimiterError<Self>> for ApiError {
    fn from(error: TimeLimiterError<Self>) -> Self {
        error.into_inner().unwrap_or(Self::TimedOut)
    }
}

impl From<CircuitBreakerError<Self>> for ApiError {
    fn from(error: CircuitBreakerError<Self>) -> Self {
        error.into_inner().unwrap_or(Self::Open)
    }
}

impl From<TimeLimiterError<CircuitBreakerError<Self>>> for ApiError {
    fn from(error: TimeLimiterError<CircuitBreakerError<Self>>) -> Self {
        error.into_inner().map_or(Self::TimedOut, Self::from)
    }
}

const BREAKER: &str = "tower-resilience 0.13 circuitbreaker";
