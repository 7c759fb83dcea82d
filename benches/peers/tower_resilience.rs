use std::{sync::Arc, time::Duration};

use tower::{Layer, Service, ServiceExt, service_fn};
use tower_resilience::{
    retry::{RetryBudget, RetryBudgetBuilder, RetryLayer},
    timelimiter::{TimeLimiterError, TimeLimiterLayer},
};

use super::{BASE, FIVE, LIMIT, MAX};
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

fn limit() -> TimeLimiterLayer {
    TimeLimiterLayer::builder().timeout_duration(LIMIT).build()
}

impl From<TimeLimiterError<Self>> for ApiError {
    fn from(error: TimeLimiterError<Self>) -> Self {
        error.into_inner().unwrap_or(Self::TimedOut)
    }
}
