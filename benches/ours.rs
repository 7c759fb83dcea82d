//! The bare call, and the annotated one.

pub mod idempotent;

use std::time::Duration;

use steadfast::{circuit_breaker, circuit_breaker::CircuitBreaker, deadline, retry};

use crate::{
    client::{ApiError, Client, DOWN, UP},
    harness::Contender,
};

pub fn bare() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("bare", || |id| fetch(&UP, id))
}

pub fn bare_pending() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch_later(id).await
    }
    Contender::new("bare", || |id| fetch(&UP, id))
}

pub fn bare_failing() -> Contender {
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("bare, one attempt", || |id| fetch(&DOWN, id))
}

pub fn retry() -> Contender {
    #[retry]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[retry]`", || |id| fetch(&UP, id))
}

pub fn retry_no_budget() -> Contender {
    #[retry(budget = none)]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[retry(budget = none)]`", || |id| fetch(&UP, id))
}

pub fn deadline() -> Contender {
    #[deadline("2s")]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[deadline]`", || |id| fetch(&UP, id))
}

pub fn deadline_pending() -> Contender {
    #[deadline("2s")]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch_later(id).await
    }
    Contender::new("`#[deadline]`", || |id| fetch(&UP, id))
}

pub fn both() -> Contender {
    #[deadline("2s")]
    #[retry]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[deadline]` `#[retry]`", || |id| fetch(&UP, id))
}

/// Without a budget, which would rightly refuse such a storm.
pub fn six_attempts() -> Contender {
    #[retry(max = 6, base = "0ms", budget = none)]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[retry]`", || |id| fetch(&DOWN, id))
}

pub fn breaker() -> Contender {
    #[circuit_breaker]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[circuit_breaker]`", || |id| fetch(&UP, id))
}

pub fn breaker_keyed() -> Contender {
    #[circuit_breaker(per = id % 1000)]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[circuit_breaker(per = ..)]`", || |id| fetch(&UP, id))
}

pub fn breaker_open() -> Contender {
    static OPEN: CircuitBreaker = CircuitBreaker::new("open").open_for(HOUR).max_open_for(HOUR);
    #[circuit_breaker(with = OPEN)]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::refused("`#[circuit_breaker]`", || |id| fetch(&DOWN, id))
}

/// Of its own, so that only the two threads have used it.
pub fn breaker_shared() -> Contender {
    #[circuit_breaker]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[circuit_breaker]`", || |id| fetch(&UP, id))
}

pub fn all_three() -> Contender {
    #[deadline("2s")]
    #[retry]
    #[circuit_breaker]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[deadline]` `#[retry]` `#[circuit_breaker]`", || |id| fetch(&UP, id))
}

pub fn all_three_shared() -> Contender {
    #[deadline("2s")]
    #[retry]
    #[circuit_breaker]
    async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
        client.fetch(id).await
    }
    Contender::new("`#[deadline]` `#[retry]` `#[circuit_breaker]`", || |id| fetch(&UP, id))
}

/// For a breaker that has to stay open longer than we measure.
const HOUR: Duration = Duration::from_hours(1);
