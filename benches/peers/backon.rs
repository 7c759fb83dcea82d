use std::{future::ready, time::Duration};

use backon::{ConstantBuilder, ExponentialBuilder, Retryable};

use super::{BASE, CAP, FIVE, RETRIES};
use crate::{
    client::{ApiError, Client, DOWN, UP},
    harness::Contender,
};

pub fn retry() -> Contender {
    Contender::new("backon 1.6", || |id| fetch(&UP, id))
}

pub async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
    (|| client.fetch(id)).retry(thrice()).when(ApiError::is_transient).await
}

pub fn thrice() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(BASE)
        .with_max_delay(CAP)
        .with_max_times(RETRIES)
        .with_jitter()
}

pub fn six_attempts() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        (|| client.fetch(id)).retry(at_once()).when(ApiError::is_transient).await
    }
    Contender::new("backon 1.6", || |id| fetch(&DOWN, id))
}

/// Tokio's sleep lasts to its next millisecond even when nothing is to be waited for; so this is
/// backon without it, for the cost of its own loop.
pub fn six_attempts_no_sleep() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        (|| client.fetch(id))
            .retry(at_once())
            .sleep(|_| ready(()))
            .when(ApiError::is_transient)
            .await
    }
    Contender::new("backon 1.6, a sleeper that is ready", || |id| fetch(&DOWN, id))
}

fn at_once() -> ConstantBuilder {
    ConstantBuilder::default().with_delay(Duration::ZERO).with_max_times(FIVE)
}
