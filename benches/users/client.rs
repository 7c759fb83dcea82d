use std::fmt;

#[derive(Debug)]
pub enum ApiError {
    Unavailable,
    TimedOut,
}

impl ApiError {
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for ApiError {}

pub struct Client {
    pub salt: u64,
}

impl Client {
    pub async fn get(&self, id: u64) -> Result<u64, ApiError> {
        tokio::task::yield_now().await;
        id.checked_add(self.salt).ok_or(ApiError::Unavailable)
    }
}
