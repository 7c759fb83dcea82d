//! The functions that are called: one body, under the settings of which each promises something else.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use serde_json::json;
use steadfast::{
    Error, Fault,
    idempotent::{Store, Truth, current},
};
use tokio::time::sleep;

use crate::points::{Blow, Point, Points};

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) key: String,
    /// Another one is another request by mistake.
    pub(crate) amount: u64,
    pub(crate) call: u64,
    /// How long the body takes, in all.
    pub(crate) hold: Duration,
    pub(crate) points: Points,
}

#[derive(Clone, Debug, thiserror::Error, Fault)]
pub(crate) enum Failure {
    #[error("Busy")]
    #[fault(transient)]
    Busy,
    #[error("FencedOff")]
    #[fault(permanent)]
    FencedOff,
    #[error("{0}")]
    #[fault(permanent)]
    Refused(String),
}

impl From<Error> for Failure {
    /// Only its name.
    fn from(error: Error) -> Self {
        let debug = format!("{error:?}");
        Self::Refused(debug.split([' ', '{', '(']).next().unwrap_or_default().to_owned())
    }
}

static STORE: OnceLock<Store> = OnceLock::new();

/// Names the store of all functions, once.
pub(crate) fn keep_keys_in(store: Store) {
    assert!(STORE.set(store).is_ok(), "a process has one store");
}

fn store() -> &'static Store {
    STORE.get().expect("it is set when the process begins")
}

impl Job {
    /// Calls the function that the key is for.
    pub(crate) async fn run(self) -> Result<String, Failure> {
        match self.kind() {
            "detached" => detached(Arc::new(self)).await,
            "fail" => fail(&self).await,
            "find" => find(&self).await,
            "short" => short(&self).await,
            _ => rerun(&self).await,
        }
    }

    fn kind(&self) -> &str {
        kind(&self.key)
    }
}

/// Which function a key is for: the part before its number.
pub(crate) fn kind(key: &str) -> &str {
    key.split('-').next().unwrap_or_default()
}

#[steadfast::idempotent(key = job.key, fingerprint = job.amount, store = store(), lease = LEASE, on_interrupted = "fail", wait = "1s")]
async fn fail(job: &Job) -> Result<String, Failure> {
    effect(job).await
}

/// Forgets the result before it is there.
#[steadfast::idempotent(key = job.key, fingerprint = job.amount, store = store(), lease = LEASE, ttl = LEASE, on_interrupted = "fail", on_duplicate = "reject")]
async fn short(job: &Job) -> Result<String, Failure> {
    effect(job).await
}

#[steadfast::deadline("20s")]
#[steadfast::idempotent(key = job.key, fingerprint = job.amount, store = store(), lease = LEASE, on_interrupted = "rerun", max_interruptions = 1_000, wait = "1s")]
#[steadfast::retry(max = 3, base = "10ms", safe)]
async fn rerun(job: &Job) -> Result<String, Failure> {
    effect(job).await
}

/// With a longer lease: an owner that is slow, and not dead, must not be taken for one whose effect did not
/// happen.
#[steadfast::idempotent(key = job.key, fingerprint = job.amount, store = store(), lease = LONG_LEASE, on_interrupted = ask_the_ledger, max_interruptions = 1_000, wait = "1s")]
async fn find(job: &Job) -> Result<String, Failure> {
    effect(job).await
}

#[expect(
    clippy::unused_async,
    reason = "whoever finds out may wait, and the ledger is not waited for so"
)]
async fn ask_the_ledger(job: &Job) -> Truth<String> {
    let found = job.points.ledger().tell("find", &job.key, json!({}));
    found["value"].as_str().map_or(Truth::DidNotHappen, |value| Truth::Happened(value.to_owned()))
}

#[steadfast::idempotent(key = job.key, fingerprint = job.amount, store = store(), lease = LEASE, on_interrupted = "fail", wait = "1s", detach)]
async fn detached(job: Arc<Job>) -> Result<String, Failure> {
    effect(&job).await
}

/// The body of them all.
async fn effect(job: &Job) -> Result<String, Failure> {
    let token = current().fence();
    let ledger = job.points.ledger();
    let Job { key, amount, call, hold, .. } = job;
    let value = format!("{key}|{amount}|{call}|{token}|{}", ledger.who());
    let more = json!({ "token": token, "call": call, "value": value });
    ledger.tell("begin", key, more.clone());
    reach(job, Point::BodyStarted).await?;
    sleep(*hold / 4).await;
    reach(job, Point::BeforeEffect).await?;
    ledger.tell("effect", key, more.clone());
    let accepted = ledger.tell("fenced", key, more.clone())["accepted"] == true;
    reach(job, Point::EffectDone).await?;
    sleep(*hold * 3 / 4).await;
    if !accepted {
        return Err(Failure::FencedOff);
    }
    ledger.tell("end", key, more);
    Ok(value)
}

async fn reach(job: &Job, point: Point) -> Result<(), Failure> {
    match job.points.at(&job.key, point) {
        Some(Blow::Fail) => return Err(Failure::Busy),
        Some(Blow::Panic) => panic!("a blow"),
        // The caller leaves in the meantime.
        Some(Blow::Drop) => sleep(LEASE / 4).await,
        _ => {}
    }
    Ok(())
}

/// Short, so that the driver has to wait a little only.
pub(crate) const LEASE: Duration = Duration::from_millis(500);
pub(crate) const LONG_LEASE: Duration = Duration::from_secs(2);
