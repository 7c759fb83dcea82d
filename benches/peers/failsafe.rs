use failsafe::{
    Config, Error, StateMachine,
    backoff::{self, Constant},
    failure_policy::{
        SuccessRateOverTimeWindow, consecutive_failures, success_rate_over_time_window,
    },
    futures::CircuitBreaker,
};

use super::{CALLS, HOUR, OPEN_FOR, RATE, WINDOW};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

type Breaker = StateMachine<SuccessRateOverTimeWindow<Constant>, ()>;

pub fn breaker() -> Contender {
    breaker_shared(closed())
}

pub fn breaker_shared(breaker: Breaker) -> Contender {
    Contender::new(NAME, || async move |id| Ok(breaker.call(UP.fetch(id)).await?))
}

/// With its other policy, as a window opens it only once the minute is over; an open one doesn't
/// ask its policy.
pub fn breaker_open() -> Contender {
    let policy = consecutive_failures(CALLS.into(), backoff::constant(HOUR));
    let breaker = Config::new().failure_policy(policy).build();
    Contender::refused(NAME, || async move |id| Ok(breaker.call(DOWN.fetch(id)).await?))
}

pub fn closed() -> Breaker {
    let pause = backoff::constant(OPEN_FOR);
    let policy = success_rate_over_time_window(RATE.into(), CALLS.into(), WINDOW, pause);
    Config::new().failure_policy(policy).build()
}

impl From<Error<Self>> for ApiError {
    fn from(error: Error<Self>) -> Self {
        match error {
            Error::Inner(error) => error,
            Error::Rejected => Self::Open,
        }
    }
}

const NAME: &str = "failsafe 1.3";
