use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::{
    RecoveryInfo, ResilienceContext,
    retry::{Retry, RetryLayer},
    timeout::{Timeout, TimeoutLayer},
    typestates::Set,
};
use tick::Clock;

use super::{BASE, CAP, FIVE, LIMIT, RETRIES};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

type Answer = Result<u64, ApiError>;

pub fn retry() -> Contender {
    Contender::new("seatbelt 0.11 retry", || {
        let stack = (thrice(&context()), Execute::new(|id| UP.fetch(id)));
        let service = kept(stack.into_service());
        move |id| service.execute(id)
    })
}

pub fn six_attempts() -> Contender {
    Contender::new("seatbelt 0.11 retry", || {
        let policy = thrice(&context())
            .max_retry_attempts(FIVE.try_into().expect("five is small"))
            .base_delay(Duration::ZERO);
        let service = kept((policy, Execute::new(|id| DOWN.fetch(id))).into_service());
        move |id| service.execute(id)
    })
}

pub fn deadline() -> Contender {
    Contender::new("seatbelt 0.11 timeout", || {
        let stack = (limit(&context()), Execute::new(|id| UP.fetch(id)));
        let service = kept(stack.into_service());
        move |id| service.execute(id)
    })
}

pub fn deadline_pending() -> Contender {
    Contender::new("seatbelt 0.11 timeout", || {
        let stack = (limit(&context()), Execute::new(|id| UP.fetch_later(id)));
        let service = kept(stack.into_service());
        move |id| service.execute(id)
    })
}

pub fn both() -> Contender {
    Contender::new("seatbelt 0.11 timeout + retry", || {
        let context = context();
        let stack = (limit(&context), thrice(&context), Execute::new(|id| UP.fetch(id)));
        let service = kept(stack.into_service());
        move |id| service.execute(id)
    })
}

fn context() -> ResilienceContext<u64, Answer> {
    ResilienceContext::new(Clock::new_tokio())
}

fn thrice(context: &ResilienceContext<u64, Answer>) -> RetryLayer<u64, Answer, Set, Set> {
    Retry::layer("retry", context)
        .clone_input()
        .recovery_with(|answer: &Answer, _| match answer {
            Err(error) if error.is_transient() => RecoveryInfo::retry(),
            _ => RecoveryInfo::never(),
        })
        .max_retry_attempts(RETRIES.try_into().expect("two is small"))
        .base_delay(BASE)
        .max_delay(CAP)
}

fn limit(context: &ResilienceContext<u64, Answer>) -> TimeoutLayer<u64, Answer, Set, Set> {
    Timeout::layer("timeout", context).timeout_error(|_| ApiError::TimedOut).timeout(LIMIT)
}

// A service lives as long as its program; here that spares a wrapper around the future it lends.
fn kept<S>(service: S) -> &'static S {
    Box::leak(Box::new(service))
}
