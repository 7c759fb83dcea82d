use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use tower::{
    Service, ServiceExt,
    retry::{
        Policy, Retry,
        backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
        budget::{Budget, TpsBudget},
    },
    service_fn,
    util::rng::HasherRng,
};

use super::{BASE, CAP, FIVE, RETRIES};
use crate::{
    client::{ApiError, DOWN, UP},
    harness::Contender,
};

pub fn retry() -> Contender {
    contender("tower 0.5 retry", UpTo::new(None))
}

pub fn retry_budget(budget: Arc<TpsBudget>) -> Contender {
    contender("tower 0.5 retry, budget", UpTo::new(Some(budget)))
}

/// As ours by default: a tenth of the calls, and ten retries a second in any case.
pub fn budget() -> Arc<TpsBudget> {
    Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 0.1))
}

fn contender(name: &'static str, policy: UpTo) -> Contender {
    Contender::new(name, || {
        let mut service = Retry::new(policy, service_fn(|id| UP.fetch(id)));
        async move |id| service.ready().await?.call(id).await
    })
}

pub fn six_attempts() -> Contender {
    Contender::new("tower 0.5 retry", || {
        let mut service = Retry::new(AtOnce { retries: FIVE }, service_fn(|id| DOWN.fetch(id)));
        async move |id| service.ready().await?.call(id).await
    })
}

/// tower has the parts; its user makes the policy of them.
#[derive(Clone)]
struct UpTo {
    retries: usize,
    backoff: ExponentialBackoff,
    budget: Option<Arc<TpsBudget>>,
}

impl UpTo {
    fn new(budget: Option<Arc<TpsBudget>>) -> Self {
        let backoff = ExponentialBackoffMaker::new(BASE, CAP, 1.0, HasherRng::new())
            .expect("the base is below the cap")
            .make_backoff();
        Self { retries: RETRIES, backoff, budget }
    }
}

impl Policy<u64, u64, ApiError> for UpTo {
    type Future = tokio::time::Sleep;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, ApiError>) -> Option<Self::Future> {
        let Err(error) = result else {
            if let Some(budget) = &self.budget {
                budget.deposit();
            }
            return None;
        };
        if !error.is_transient() || self.retries == 0 {
            return None;
        }
        self.retries -= 1;
        let allowed = self.budget.as_ref().is_none_or(|budget| budget.withdraw());
        allowed.then(|| self.backoff.next_backoff())
    }

    fn clone_request(&mut self, id: &u64) -> Option<u64> {
        Some(*id)
    }
}

/// As the documentation of `Policy` has it.
#[derive(Clone)]
struct AtOnce {
    retries: usize,
}

impl Policy<u64, u64, ApiError> for AtOnce {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Result<u64, ApiError>) -> Option<Self::Future> {
        if !matches!(result, Err(error) if error.is_transient()) || self.retries == 0 {
            return None;
        }
        self.retries -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, id: &u64) -> Option<u64> {
        Some(*id)
    }
}
