use std::time::Duration;

use recloser::{AsyncRecloser, Error, Recloser};

use super::{CALLS, HOUR, OPEN_FOR, RATE};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

pub fn breaker() -> Contender {
    breaker_shared(closed())
}

pub fn breaker_shared(breaker: AsyncRecloser) -> Contender {
    Contender::new(NAME, || async move |id| Ok(breaker.call(UP.fetch(id)).await?))
}

pub fn breaker_open() -> Contender {
    let breaker = configured(HOUR);
    Contender::refused(NAME, || async move |id| Ok(breaker.call(DOWN.fetch(id)).await?))
}

pub fn closed() -> AsyncRecloser {
    configured(OPEN_FOR)
}

/// Its window is of calls, not of time: the last twenty.
fn configured(open_for: Duration) -> AsyncRecloser {
    Recloser::custom()
        .error_rate(RATE)
        .closed_len(CALLS.into())
        .half_open_len(1)
        .open_wait(open_for)
        .build()
        .into()
}

impl From<Error<Self>> for ApiError {
    fn from(error: Error<Self>) -> Self {
        match error {
            Error::Inner(error) => error,
            Error::Rejected => Self::Open,
        }
    }
}

const NAME: &str = "recloser 1.4";
