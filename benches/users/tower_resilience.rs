use std::time::Duration;

use client::{ApiError, Client};
use tower::{Layer, ServiceExt, service_fn};
use tower_resilience::{retry::RetryLayer, timelimiter::TimeLimiterLayer};

mod client;

static CLIENT: Client = Client { salt: 7 };

#[tokio::main]
async fn main() {
    let timeout = TimeLimiterLayer::builder().timeout_duration(Duration::from_secs(2)).build();
    let retry = RetryLayer::<u64, u64, ApiError>::builder()
        .max_attempts(3)
        .exponential_backoff(Duration::from_millis(100))
        .retry_on(ApiError::is_transient)
        .build();
    let service = timeout.layer(retry.layer(service_fn(|id| CLIENT.get(id))));
    println!("{:?}", service.oneshot(1).await);
}
