//! The acceptance model of the retry budget: a server whose latency grows with its load, and
//! clients that give up after a while, in virtual time.
//!
//! A spike slows the server down until every call times out; the server works on for callers that
//! have left; their retries keep it there after the spike is over. That is a metastable failure
//! (Bronson et al., `HotOS` 2021), and a budget is what ends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use steadfast::{deadline, retry};
use tokio::time::{Instant, sleep, sleep_until};

const SEEDS: u64 = 20;
const SPIKE: std::ops::Range<f64> = 20.0..25.0;
const END: f64 = 120.0;
/// The time that is judged: long after the spike.
const JUDGED: std::ops::Range<f64> = 90.0..110.0;

#[derive(Debug, thiserror::Error, steadfast::Fault)]
enum Error {
    #[error(transparent)]
    #[fault(transparent)]
    Refused(#[from] steadfast::Error),
}

/// Takes 1 s, and 10 ms more for each call that it works on; also for callers that have left.
#[derive(Default)]
struct Server {
    concurrency: Arc<AtomicU32>,
}

impl Server {
    async fn serve(&self) -> Result<(), Error> {
        let concurrency = self.concurrency.clone();
        let load = concurrency.fetch_add(1, Ordering::Relaxed) + 1;
        let work = tokio::spawn(async move {
            sleep(Duration::from_secs(1) + Duration::from_millis(10) * load).await;
            concurrency.fetch_sub(1, Ordering::Relaxed);
        });
        work.await.expect("no panic");
        Ok(())
    }
}

/// Bare: the defaults, but that a lost reply may be asked for again.
#[retry(safe)]
#[deadline("3s")]
async fn with_defaults(server: &Server) -> Result<(), Error> {
    server.serve().await
}

#[retry(safe, budget = none)]
#[deadline("3s")]
async fn without_a_budget(server: &Server) -> Result<(), Error> {
    server.serve().await
}

/// The share of calls that fail long after the spike: 40 calls a second, 80 to 100 in the spike.
async fn failures_after_the_spike<F>(seed: u64, call: fn(Arc<Server>) -> F) -> f64
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut rng = SmallRng::seed_from_u64(seed);
    steadfast::testing::seed(seed);
    let spike = rng.random_range(80.0..=100.0);
    let server = Arc::new(Server::default());
    let (judged, failed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let start = Instant::now();
    let mut now = 0.0;
    while now < END {
        let rate = if SPIKE.contains(&now) { spike } else { 40.0 };
        now += -f64::ln(1.0 - rng.random::<f64>()) / rate; // Poisson arrivals
        sleep_until(start + Duration::from_secs_f64(now)).await;
        let (call, judged, failed) = (call(server.clone()), judged.clone(), failed.clone());
        tokio::spawn(async move {
            let outcome = call.await;
            if JUDGED.contains(&now) {
                judged.fetch_add(1, Ordering::Relaxed);
                failed.fetch_add(u32::from(outcome.is_err()), Ordering::Relaxed);
            }
        });
    }
    sleep(Duration::from_secs(30)).await;
    f64::from(failed.load(Ordering::Relaxed)) / f64::from(judged.load(Ordering::Relaxed))
}

/// How many of the seeds never come out of the collapse.
async fn collapsed<F>(call: fn(Arc<Server>) -> F) -> usize
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut collapsed = 0;
    for seed in 0..SEEDS {
        collapsed += usize::from(failures_after_the_spike(seed, call).await > 0.5);
    }
    collapsed
}

#[tokio::test(start_paused = true)]
async fn no_seed_stays_collapsed_with_the_defaults() {
    let collapsed = collapsed(|server| async move { with_defaults(&server).await }).await;
    assert_eq!(collapsed, 0, "of {SEEDS}");
}

#[tokio::test(start_paused = true)]
async fn most_stay_collapsed_without_a_budget() {
    let collapsed = collapsed(|server| async move { without_a_budget(&server).await }).await;
    assert!(collapsed as u64 > SEEDS / 2, "{collapsed} of {SEEDS}");
}
