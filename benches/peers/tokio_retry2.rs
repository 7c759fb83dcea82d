use std::time::Duration;

use tokio_retry2::{
    Retry, RetryError,
    strategy::{ExponentialFactorBackoff, FixedInterval, jitter},
};

use super::{BASE, CAP, FIVE, RETRIES};
use crate::{
    client::{ApiError, Client, DOWN, UP},
    harness::Contender,
};

pub fn retry() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        let base = BASE.as_millis().try_into().expect("a small number");
        let strategy = ExponentialFactorBackoff::from_millis(base, 2.0)
            .max_delay(CAP)
            .map(jitter)
            .take(RETRIES);
        Retry::spawn(strategy, || attempt(client, id)).await
    }
    Contender::new("tokio-retry2 0.9", || |id| fetch(&UP, id))
}

pub fn six_attempts() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        let strategy = FixedInterval::new(Duration::ZERO).take(FIVE);
        Retry::spawn(strategy, || attempt(client, id)).await
    }
    Contender::new("tokio-retry2 0.9", || |id| fetch(&DOWN, id))
}

// Here an error says by its wrapper whether it is worth a retry.
async fn attempt(client: &Client, id: u64) -> Result<u64, RetryError<ApiError>> {
    match client.fetch(id).await {
        Err(error) if error.is_transient() => Err(RetryError::transient(error)),
        answer => answer.map_err(RetryError::permanent),
    }
}
