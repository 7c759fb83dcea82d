use std::sync::Arc;

use backon::Retryable;
use nobreak::CircuitBreaker;
use tokio::time::timeout;

use super::LIMIT;
use crate::{
    client::{ApiError, Client, UP},
    harness::Contender,
};

pub fn deadline() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        timeout(LIMIT, client.fetch(id)).await.unwrap_or(Err(ApiError::TimedOut))
    }
    Contender::new("tokio::time::timeout", || |id| fetch(&UP, id))
}

pub fn deadline_pending() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        timeout(LIMIT, client.fetch_later(id)).await.unwrap_or(Err(ApiError::TimedOut))
    }
    Contender::new("tokio::time::timeout", || |id| fetch(&UP, id))
}

/// With the leanest peer that retries.
pub fn both() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        timeout(LIMIT, super::backon::fetch(client, id)).await.unwrap_or(Err(ApiError::TimedOut))
    }
    Contender::new("tokio::time::timeout + backon 1.6", || |id| fetch(&UP, id))
}

/// With the leanest peers that retry and that break.
pub fn all_three() -> Contender {
    all_three_shared(super::nobreak::closed())
}

pub fn all_three_shared(breaker: Arc<CircuitBreaker>) -> Contender {
    Contender::new("tokio::time::timeout + backon 1.6 + nobreak 0.1", || {
        async move |id| {
            let attempt = async || Ok(breaker.call_async(|| UP.fetch(id)).await?);
            let retry = attempt.retry(super::backon::thrice()).when(ApiError::is_transient);
            timeout(LIMIT, retry).await.unwrap_or(Err(ApiError::TimedOut))
        }
    })
}
