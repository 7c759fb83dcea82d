use std::time::Duration;

use layered::{Execute, Service, Stack};
use seatbelt::{
    RecoveryInfo, ResilienceContext,
    breaker::{Breaker, BreakerLayer, HalfOpenMode},
    retry::{Retry, RetryLayer},
    timeout::{Timeout, TimeoutLayer},
    typestates::Set,
};
use tick::Clock;

use super::{BASE, CALLS, CAP, FIVE, HOUR, LIMIT, OPEN_FOR, RATE, RETRIES, WINDOW};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::{Contender, made_inside},
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

pub fn breaker() -> Contender {
    Contender::new(BREAKER, || {
        let service = kept(closed());
        move |id| service.execute(id)
    })
}

pub fn breaker_shared(breaker: impl Service<u64, Out = Answer> + 'static) -> Contender {
    let service = kept(breaker);
    Contender::new(BREAKER, || move |id| service.execute(id))
}

pub fn breaker_open() -> Contender {
    Contender::refused(BREAKER, || {
        let stack = (half(&context()).break_duration(HOUR), Execute::new(|id| DOWN.fetch(id)));
        let service = kept(stack.into_service());
        move |id| service.execute(id)
    })
}

pub fn all_three() -> Contender {
    Contender::new(ALL_THREE, || {
        let service = kept(around(closed()));
        move |id| service.execute(id)
    })
}

pub fn all_three_shared(breaker: impl Service<u64, Out = Answer> + 'static) -> Contender {
    Contender::new(ALL_THREE, || {
        let service = kept(around(breaker));
        move |id| service.execute(id)
    })
}

/// A breaker and its call; all clones are one breaker, and of its clock they need only the time.
pub fn shared() -> impl Service<u64, Out = Answer> + Clone + 'static {
    made_inside(closed)
}

fn closed() -> impl Service<u64, Out = Answer> + Clone + 'static {
    (half(&context()), Execute::new(|id| UP.fetch(id))).into_service()
}

fn around(breaker: impl Service<u64, Out = Answer> + 'static) -> impl Service<u64, Out = Answer> {
    let context = context();
    (limit(&context), thrice(&context), breaker).into_service()
}

fn context() -> ResilienceContext<u64, Answer> {
    ResilienceContext::new(Clock::new_tokio())
}

fn thrice(context: &ResilienceContext<u64, Answer>) -> RetryLayer<u64, Answer, Set, Set> {
    Retry::layer("retry", context)
        .clone_input()
        .recovery_with(|answer: &Answer, _| recovery(answer))
        .max_retry_attempts(RETRIES.try_into().expect("two is small"))
        .base_delay(BASE)
        .max_delay(CAP)
}

fn limit(context: &ResilienceContext<u64, Answer>) -> TimeoutLayer<u64, Answer, Set, Set> {
    Timeout::layer("timeout", context).timeout_error(|_| ApiError::TimedOut).timeout(LIMIT)
}

fn half(context: &ResilienceContext<u64, Answer>) -> BreakerLayer<u64, Answer, Set, Set> {
    Breaker::layer("breaker", context)
        .recovery_with(|answer: &Answer, _| recovery(answer))
        .rejected_input_error(|_, _| ApiError::Open)
        .failure_threshold(RATE)
        .min_throughput(CALLS.into())
        .sampling_duration(WINDOW)
        .break_duration(OPEN_FOR)
        .half_open_mode(HalfOpenMode::quick())
}

fn recovery(answer: &Answer) -> RecoveryInfo {
    match answer {
        Err(error) if error.is_transient() => RecoveryInfo::retry(),
        _ => RecoveryInfo::never(),
    }
}

// A service lives as long as its program; here that spares a wrapper around the future it lends.
fn kept<S>(service: S) -> &'static S {
    Box::leak(Box::new(service))
}

const BREAKER: &str = "seatbelt 0.11 breaker";
const ALL_THREE: &str = "seatbelt 0.11 timeout + retry + breaker";
