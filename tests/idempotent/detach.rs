//! `detach`: a caller who leaves does not cut the effect off.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use steadfast::idempotent::{Truth, current, marked};
use tokio::time::{Instant, sleep, timeout};

use super::{Failure, MILLI, SECOND, in_memory, observed, refused};

#[tokio::test(start_paused = true)]
async fn goes_on_when_the_caller_leaves() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail", detach)]
    async fn goes_on(id: u64, runs: Arc<AtomicU32>) -> Result<u64, Failure> {
        sleep(SECOND).await;
        runs.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }
    let events = observed("::goes_on");
    let runs = Arc::new(AtomicU32::new(0));
    timeout(100 * MILLI, goes_on(7, Arc::clone(&runs))).await.expect_err("it hangs up");
    let start = Instant::now();
    assert_eq!(goes_on(7, Arc::clone(&runs)).await, Ok(7));
    assert!(start.elapsed() < SECOND, "it waits for the one that runs");
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["replayed"]);
    let (outcome, replayed) = marked(goes_on(8, runs)).await;
    assert_eq!((outcome, replayed), (Ok(8), Some(false)));
}

#[tokio::test(start_paused = true)]
async fn a_panic_comes_back_to_the_caller() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, on_interrupted = "fail", detach)]
    async fn charge(id: u64) -> Result<u64, Failure> {
        sleep(MILLI).await;
        panic!("no {id}")
    }
    let task = tokio::spawn(charge(7));
    assert!(task.await.expect_err("it panics").is_panic());
    assert_eq!(charge(7).await, refused("Interrupted"));
}

/// With policies above and below, settings of the call, and somebody who finds out.
#[tokio::test(start_paused = true)]
async fn in_a_stack() {
    in_memory!(STORE);
    struct Shop {
        limit: std::time::Duration,
    }
    impl Shop {
        #[steadfast::fallback(expr = 0)]
        #[steadfast::deadline("500ms")]
        #[steadfast::idempotent(key = id, store = STORE, lease = this.limit, on_interrupted = Self::find, detach)]
        #[steadfast::retry(max = 2, base = this.limit / 1000, when = any)]
        #[steadfast::circuit_breaker(per = id)]
        #[steadfast::deadline(this.limit)]
        async fn charge(
            this: Arc<Self>,
            id: u64,
            takes: std::time::Duration,
        ) -> Result<u64, Failure> {
            sleep(takes).await;
            if this.limit > takes {
                Ok(id + u64::from(current().attempt()))
            } else {
                Err(Failure::Busy)
            }
        }

        async fn find(_: Arc<Self>, _: u64, _: std::time::Duration) -> Truth<u64> {
            sleep(MILLI).await;
            Truth::Unknown
        }
    }
    let shop = Arc::new(Shop { limit: 10 * SECOND });
    assert_eq!(Shop::charge(Arc::clone(&shop), 7, MILLI).await, Ok(8));
    // The deadline above ends the call, and not the effect.
    assert_eq!(Shop::charge(Arc::clone(&shop), 8, SECOND).await, Ok(0));
    sleep(SECOND).await;
    assert_eq!(Shop::charge(Arc::clone(&shop), 8, SECOND).await, Ok(9));
}
