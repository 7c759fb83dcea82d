use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use client::{ApiError, Client};
use tokio::time::timeout;

mod client;

#[tokio::main]
async fn main() {
    println!("{:?}", fetch(&Client { salt: 7 }, 1).await);
}

async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
    let call = (|| client.get(id))
        .retry(ExponentialBuilder::default().with_max_times(2).with_jitter())
        .when(ApiError::is_transient);
    timeout(Duration::from_secs(2), call).await.unwrap_or(Err(ApiError::TimedOut))
}
