use std::time::Duration;

use client::{ApiError, Client};
use tokio::time::timeout;
use tokio_retry2::{
    Retry, RetryError,
    strategy::{ExponentialFactorBackoff, jitter},
};

mod client;

#[tokio::main]
async fn main() {
    println!("{:?}", fetch(&Client { salt: 7 }, 1).await);
}

async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
    let strategy = ExponentialFactorBackoff::from_millis(100, 2.0).map(jitter).take(2);
    let call = Retry::spawn(strategy, || async {
        match client.get(id).await {
            Err(error) if error.is_transient() => Err(RetryError::transient(error)),
            answer => answer.map_err(RetryError::permanent),
        }
    });
    timeout(Duration::from_secs(2), call).await.unwrap_or(Err(ApiError::TimedOut))
}
