//! What every contender calls: the same work behind the same signature.

use std::{fmt, hint::black_box};

use serde::{Deserialize, Serialize};
use steadfast::Fault;

/// Answers every call.
pub static UP: Client = Client { salt: Some(7) };

/// Fails every call, in a way that is worth a retry.
pub static DOWN: Client = Client { salt: None };

pub struct Client {
    salt: Option<u64>,
}

impl Client {
    /// Is ready at once, as a cache hit or a buffered read is.
    #[expect(clippy::unused_async, reason = "a future like any other to those who call it")]
    pub async fn fetch(&self, id: u64) -> Result<u64, ApiError> {
        self.answer(id).ok_or(ApiError::Unavailable)
    }

    /// Is pending once, as a request over a network is at least.
    pub async fn fetch_later(&self, id: u64) -> Result<u64, ApiError> {
        tokio::task::yield_now().await;
        self.answer(id).ok_or(ApiError::Unavailable)
    }

    /// Is ready at once, with a small result that is worth keeping.
    #[expect(clippy::unused_async, reason = "a future like any other to those who call it")]
    pub async fn charge(&self, order: u64) -> Result<Receipt, ApiError> {
        let charge = self.answer(order).ok_or(ApiError::Unavailable)?;
        Ok(Receipt { order, charge })
    }

    // Out of line, so that no contender can be folded into the work and look free; and with an
    // answer that fits registers: a processor that waits for memory would hide what is added.
    #[inline(never)]
    fn answer(&self, id: u64) -> Option<u64> {
        black_box(self).salt.map(|salt| id ^ salt)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Receipt {
    pub order: u64,
    pub charge: u64,
}

/// One type for all, so that all move results of the same size.
#[derive(Clone, Debug, Fault)]
pub enum ApiError {
    #[fault(transient)]
    Unavailable,
    #[fault(ambiguous)]
    TimedOut,
    /// What a peer's open breaker says.
    #[fault(permanent)]
    Open,
    #[fault(transparent)]
    Refused(steadfast::Error),
}

impl ApiError {
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable)
    }

    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Open | Self::Refused(_))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed out",
            Self::Open => "open",
            Self::Refused(_) => "refused",
        })
    }
}

impl std::error::Error for ApiError {}

impl From<steadfast::Error> for ApiError {
    fn from(refusal: steadfast::Error) -> Self {
        Self::Refused(refusal)
    }
}
