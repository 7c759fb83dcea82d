//! `#[retry]` on a paused clock.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use steadfast::{
    Fault, deadline,
    fault::{Class, in_chain, in_chain_with},
    retry::{self, Backoff, Jitter, RetryBudget, Retrying},
};
use tokio::{task, time::Instant};

/// An error that is of the class it holds.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0:?}")]
struct Is(Class);

impl Fault for Is {
    fn class(&self) -> Class {
        self.0
    }
}

const TRANSIENT: Is = Is(Class::Transient);
const AMBIGUOUS: Is = Is(Class::Ambiguous);
const PERMANENT: Is = Is(Class::Permanent);

/// A dependency that fails as told, and counts.
#[derive(Default)]
struct Peer {
    calls: AtomicU32,
}

impl Peer {
    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Fails `failures` times, then succeeds with the number of the call.
    async fn fail(&self, failures: u32, error: Is) -> Result<u32, Is> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        task::yield_now().await;
        if call <= failures { Err(error) } else { Ok(call) }
    }
}

fn throttled(millis: u64) -> Is {
    Is(Class::Throttled { retry_after: Some(Duration::from_millis(millis)) })
}

mod attempts {
    use super::*;

    #[steadfast::retry]
    async fn bare(peer: &Peer, failures: u32, error: Is) -> Result<u32, Is> {
        peer.fail(failures, error).await
    }

    #[tokio::test(start_paused = true)]
    async fn three_by_default() {
        for failures in 0..3 {
            assert_eq!(bare(&Peer::default(), failures, TRANSIENT).await, Ok(failures + 1));
        }
        let peer = Peer::default();
        assert_eq!(bare(&peer, 9, TRANSIENT).await, Err(TRANSIENT));
        assert_eq!(peer.calls(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permanent_error_is_not_repeated() {
        let peer = Peer::default();
        assert_eq!(bare(&peer, 9, PERMANENT).await, Err(PERMANENT));
        assert_eq!(peer.calls(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_ambiguous_error_is_repeated_only_if_that_is_safe() {
        #[steadfast::retry(safe)]
        async fn safe(peer: &Peer) -> Result<u32, Is> {
            peer.fail(1, AMBIGUOUS).await
        }
        let peer = Peer::default();
        assert_eq!(bare(&peer, 1, AMBIGUOUS).await, Err(AMBIGUOUS));
        assert_eq!(peer.calls(), 1);
        assert_eq!(safe(&Peer::default()).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn when_overrides_what_the_error_says() {
        #[steadfast::retry(when = any)]
        async fn every(peer: &Peer) -> Result<u32, Is> {
            peer.fail(1, PERMANENT).await
        }
        #[steadfast::retry(when = |error: &Is| *error == PERMANENT)]
        async fn closure(peer: &Peer, error: Is) -> Result<u32, Is> {
            peer.fail(1, error).await
        }
        fn never(_: &Is) -> Class {
            Class::Permanent
        }
        #[steadfast::retry(when(never))]
        async fn path(peer: &Peer) -> Result<u32, Is> {
            peer.fail(1, TRANSIENT).await
        }
        assert_eq!(every(&Peer::default()).await, Ok(2));
        assert_eq!(closure(&Peer::default(), PERMANENT).await, Ok(2));
        assert_eq!(closure(&Peer::default(), TRANSIENT).await, Err(TRANSIENT));
        assert_eq!(path(&Peer::default()).await, Err(TRANSIENT));
    }

    #[tokio::test(start_paused = true)]
    async fn when_ok_returns_the_last_value_as_it_is() {
        #[steadfast::retry(max = 4, when_ok = |value| *value < wanted)]
        async fn at_least(peer: &Peer, wanted: u32) -> Result<u32, Is> {
            peer.fail(0, TRANSIENT).await
        }
        assert_eq!(at_least(&Peer::default(), 3).await, Ok(3));
        let peer = Peer::default();
        assert_eq!(at_least(&peer, 100).await, Ok(4));
        assert_eq!(peer.calls(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn through_a_chain() {
        #[steadfast::retry(when = in_chain)]
        async fn anyhow(peer: &Peer, kind: io::ErrorKind) -> anyhow::Result<u32> {
            use anyhow::Context;
            peer.fail(1, TRANSIENT)
                .await
                .or_else(|_| Err(io::Error::from(kind)).context("asking the peer"))
        }
        #[steadfast::retry(when = in_chain_with::<Is>)]
        async fn boxed(peer: &Peer) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
            Ok(peer.fail(1, TRANSIENT).await?)
        }
        assert_eq!(anyhow(&Peer::default(), io::ErrorKind::ConnectionRefused).await.ok(), Some(2));
        assert!(anyhow(&Peer::default(), io::ErrorKind::NotFound).await.is_err());
        assert_eq!(boxed(&Peer::default()).await.ok(), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn settings_by_value() {
        struct Config {
            max: u32,
            base: Duration,
            factor: f64,
            budget: Arc<RetryBudget>,
        }
        #[steadfast::retry(
            max = config.max,
            base = config.base,
            factor = config.factor,
            backoff = Backoff::Exponential,
            jitter = Jitter::None,
            budget = config.budget,
        )]
        async fn configured(config: &Config, peer: &Peer) -> Result<u32, Is> {
            peer.fail(99, TRANSIENT).await
        }
        let time = async |max, factor| {
            let budget = Arc::new(RetryBudget::new());
            let config = Config { max, base: Duration::from_millis(100), factor, budget };
            let (peer, start) = (Peer::default(), Instant::now());
            assert_eq!(configured(&config, &peer).await, Err(TRANSIENT));
            (peer.calls(), start.elapsed().as_millis())
        };
        assert_eq!(time(4, 3.0).await, (4, 100 + 300 + 900));
        // Out of range at run time: documented at `Retry`, and never a panic.
        assert_eq!(time(0, 2.0).await, (1, 0));
        assert_eq!(time(3, f64::NAN).await, (3, 100 + 200));
        assert_eq!(time(3, -1.0).await, (3, 100 + 100));
        assert_eq!(time(3, f64::INFINITY).await, (3, 100 + 10_000));
    }
}

mod waits {
    use super::*;

    async fn time<T>(call: impl Future<Output = T>) -> u128 {
        let start = Instant::now();
        call.await;
        start.elapsed().as_millis()
    }

    #[tokio::test(start_paused = true)]
    async fn grow_as_told() {
        macro_rules! waits {
            ($($args:tt)*) => {{
                #[steadfast::retry(max = 5, base = "100ms", jitter = "none", $($args)*)]
                async fn fails(peer: &Peer) -> Result<u32, Is> {
                    peer.fail(9, TRANSIENT).await
                }
                time(fails(&Peer::default())).await
            }};
        }
        assert_eq!(waits!(), 100 + 200 + 400 + 800);
        assert_eq!(waits!(factor = 1.5), 100 + 150 + 225 + 338); // timers tick in milliseconds
        assert_eq!(waits!(cap = "250ms"), 100 + 200 + 250 + 250);
        assert_eq!(waits!(backoff = "linear"), 100 + 200 + 300 + 400);
        assert_eq!(waits!(backoff = "fixed"), 400);
        assert_eq!(waits!(backoff("fibonacci")), 100 + 100 + 200 + 300);
    }

    #[tokio::test(start_paused = true)]
    async fn decorrelated_grow_from_the_last() {
        #[steadfast::retry(max = 30, jitter = "decorrelated", base = "10ms", cap = "1s")]
        async fn fails(peer: &Peer) -> Result<u32, Is> {
            peer.fail(99, TRANSIENT).await
        }
        steadfast::testing::seed(5);
        steadfast::testing::lift_budgets();
        let waited = time(fails(&Peer::default())).await;
        // 29 waits of 10 to 30 ms, if they did not grow.
        assert!(waited > 29 * 30, "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn none_ends_at_the_deadline() {
        #[steadfast::deadline("1s")]
        #[steadfast::retry(base = "1s", jitter = "none", when = any)]
        async fn fails(peer: &Peer) -> anyhow::Result<u32> {
            Ok(peer.fail(9, TRANSIENT).await?)
        }
        let peer = Peer::default();
        assert_eq!(time(fails(&peer)).await, 0);
        assert_eq!(peer.calls(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_repeats_them() {
        #[steadfast::retry(max = 5)]
        async fn fails(peer: &Peer) -> Result<u32, Is> {
            peer.fail(9, TRANSIENT).await
        }
        let mut seen = Vec::new();
        for seed in [1, 2, 1] {
            steadfast::testing::seed(seed);
            seen.push(time(fails(&Peer::default())).await);
        }
        assert_eq!(seen[0], seen[2]);
        assert_ne!(seen[0], seen[1]);
    }

    #[tokio::test(start_paused = true)]
    async fn are_not_drawn_before_something_failed() {
        #[steadfast::retry(max = 5)]
        async fn call(peer: &Peer, failures: u32) -> Result<u32, Is> {
            peer.fail(failures, TRANSIENT).await
        }
        let mut seen = Vec::new();
        for successes in [0, 100] {
            steadfast::testing::seed(1);
            for _ in 0..successes {
                assert_eq!(call(&Peer::default(), 0).await, Ok(1));
            }
            seen.push(time(call(&Peer::default(), 9)).await);
        }
        assert_eq!(seen[0], seen[1]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_base_there_is_no_timer() {
        #[steadfast::retry(max = 6, base = "0s")]
        async fn fails(peer: &Peer) -> Result<u32, Is> {
            peer.fail(9, TRANSIENT).await
        }
        let peer = Peer::default();
        assert_eq!(time(fails(&peer)).await, 0);
        assert_eq!(peer.calls(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_up_to_the_cap_is_a_floor() {
        #[steadfast::retry(max = 2, base = "100ms", cap = "1s")]
        async fn asked(peer: &Peer, error: Is) -> Result<u32, Is> {
            peer.fail(1, error).await
        }
        for _ in 0..50 {
            let waited = time(asked(&Peer::default(), throttled(400))).await;
            assert!((400..=501).contains(&waited), "{waited}");
            let waited = time(asked(&Peer::default(), throttled(1_000))).await;
            assert!((1_000..=1_101).contains(&waited), "{waited}");
        }
        let (peer, start) = (Peer::default(), Instant::now());
        assert_eq!(asked(&peer, throttled(1_001)).await, Err(throttled(1_001)));
        assert_eq!((peer.calls(), start.elapsed()), (1, Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn none_runs_into_a_deadline() {
        #[steadfast::deadline("1s")]
        async fn caller(peer: &Peer) -> Result<u32, anyhow::Error> {
            #[steadfast::retry(max = 5, base = "400ms", jitter = "none")]
            async fn callee(peer: &Peer) -> Result<u32, Is> {
                peer.fail(9, TRANSIENT).await
            }
            Ok(callee(peer).await?)
        }
        let peer = Peer::default();
        let start = Instant::now();
        let error = caller(&peer).await.expect_err("it fails");
        // 400 ms later the second attempt failed; a wait of 800 ms would end past the deadline.
        assert_eq!(error.downcast_ref(), Some(&TRANSIENT), "the last error of its own");
        assert_eq!((peer.calls(), start.elapsed().as_millis()), (2, 400));
    }
}

mod budget {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refuses_with_the_original_error_and_without_a_wait() {
        #[steadfast::retry(base = "0s")]
        async fn dead(peer: &Peer) -> Result<u32, Is> {
            peer.fail(u32::MAX, TRANSIENT).await
        }
        let peer = Peer::default();
        for _ in 0..1_000 {
            assert_eq!(dead(&peer).await, Err(TRANSIENT));
        }
        // A tenth of the calls, and the ten that every budget starts with.
        assert_eq!(peer.calls(), 1_110);
        let (start, before) = (Instant::now(), peer.calls());
        assert_eq!(dead(&peer).await, Err(TRANSIENT));
        assert_eq!((start.elapsed(), peer.calls() - before), (Duration::ZERO, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn is_shared_by_name() {
        static SHARED: RetryBudget = RetryBudget::new().ratio(0.0).floor(0.0);
        #[steadfast::retry(budget = SHARED)]
        async fn one(peer: &Peer) -> Result<u32, Is> {
            peer.fail(1, TRANSIENT).await
        }
        #[steadfast::retry(budget = budget)]
        async fn other(peer: &Peer, budget: &RetryBudget) -> Result<u32, Is> {
            peer.fail(1, TRANSIENT).await
        }
        let allowed = RetryBudget::new();
        assert_eq!(one(&Peer::default()).await, Err(TRANSIENT));
        assert_eq!(other(&Peer::default(), &SHARED).await, Err(TRANSIENT));
        assert_eq!(other(&Peer::default(), &allowed).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn none_lets_every_retry_through() {
        #[steadfast::retry(budget = none, base = "0s")]
        async fn dead(peer: &Peer) -> Result<u32, Is> {
            peer.fail(u32::MAX, TRANSIENT).await
        }
        let peer = Peer::default();
        for _ in 0..1_000 {
            assert_eq!(dead(&peer).await, Err(TRANSIENT));
        }
        assert_eq!(peer.calls(), 3_000);
    }

    /// One budget for all types that a generic function is used with.
    #[tokio::test(start_paused = true)]
    async fn is_one_per_function() {
        #[steadfast::retry(base = "0s")]
        async fn generic<T: Default>(peer: &Peer) -> Result<T, Is> {
            peer.fail(u32::MAX, TRANSIENT).await.map(|_| T::default())
        }
        let peer = Peer::default();
        for _ in 0..10 {
            assert_eq!(generic::<u8>(&peer).await, Err(TRANSIENT));
            assert_eq!(generic::<u64>(&peer).await, Err(TRANSIENT));
        }
        assert!(peer.calls() <= 20 + 10 + 2, "{}", peer.calls());
    }
}

mod cancellation {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_dropped_future_stops_the_loop() {
        #[steadfast::retry(max = 9, base = "1s", jitter = "none")]
        async fn fails(peer: &Peer) -> Result<u32, Is> {
            peer.fail(99, TRANSIENT).await
        }
        let peer = Peer::default();
        assert!(tokio::time::timeout(Duration::from_millis(1_500), fails(&peer)).await.is_err());
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(peer.calls(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_without_waits_can_be_aborted() {
        #[steadfast::retry(max = u32::MAX, base = "0s", budget = none, when = any)]
        async fn forever(calls: Arc<AtomicU32>) -> Result<u32, Is> {
            calls.fetch_add(1, Ordering::Relaxed);
            Err(TRANSIENT)
        }
        let calls = Arc::new(AtomicU32::new(0));
        let task = tokio::spawn(forever(calls.clone()));
        task::yield_now().await;
        task.abort();
        assert!(task.await.is_err_and(|error| error.is_cancelled()));
        assert!(calls.load(Ordering::Relaxed) > 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_not_retried() {
        #[steadfast::retry(when = any)]
        async fn panics(calls: Arc<AtomicU32>) -> Result<u32, Is> {
            calls.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        }
        let calls = Arc::new(AtomicU32::new(0));
        assert!(tokio::spawn(panics(calls.clone())).await.is_err_and(|error| error.is_panic()));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    /// Without a runtime there is no timer and no clock to ask: nothing may need one before an
    /// attempt has failed, and then only a wait does.
    #[test]
    fn needs_no_runtime_before_it_waits() {
        #[steadfast::retry(base = "0s")]
        async fn fails(failures: &AtomicU32) -> Result<u32, Is> {
            match failures.load(Ordering::Relaxed) {
                0 => Ok(7),
                left => {
                    failures.store(left - 1, Ordering::Relaxed);
                    Err(TRANSIENT)
                }
            }
        }
        for failures in 0..3 {
            let failures = AtomicU32::new(failures);
            let future = pin!(fails(&failures));
            let polled = future.poll(&mut Context::from_waker(Waker::noop()));
            assert_eq!(polled, Poll::Ready(Ok(7)));
        }
    }
}

mod on_retry {
    use super::*;

    type Seen = std::sync::Mutex<Vec<(u32, u128)>>;

    #[tokio::test(start_paused = true)]
    async fn is_told_before_each_wait() {
        #[steadfast::retry(
            max = 3,
            jitter = "none",
            on_retry = |retrying: &Retrying<'_, Result<u32, Is>>| {
                assert_eq!(retrying.outcome, &Err(TRANSIENT));
                seen.lock().expect("no panic").push((retrying.attempt, retrying.wait.as_millis()));
            }
        )]
        async fn fails(peer: &Peer, seen: &Seen) -> Result<u32, Is> {
            peer.fail(9, TRANSIENT).await
        }
        let seen = Seen::default();
        assert_eq!(fails(&Peer::default(), &seen).await, Err(TRANSIENT));
        assert_eq!(*seen.lock().expect("no panic"), [(1, 100), (2, 200)]);
    }

    #[tokio::test(start_paused = true)]
    async fn may_be_a_path() {
        fn note<T, E: std::fmt::Debug>(retrying: &Retrying<'_, Result<T, E>>) {
            assert!(retrying.outcome.is_err());
        }
        #[steadfast::retry(on_retry = note)]
        async fn fails(peer: &Peer) -> Result<u32, Is> {
            peer.fail(1, TRANSIENT).await
        }
        assert_eq!(fails(&Peer::default()).await, Ok(2));
    }
}

mod per_attempt {
    use super::*;

    #[derive(Debug, Fault, thiserror::Error)]
    enum Error {
        #[error(transparent)]
        #[fault(transparent)]
        Refused(#[from] steadfast::Error),
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_below_bounds_each_attempt() {
        #[steadfast::deadline("10s")]
        #[steadfast::retry(max = 3, safe, base = "1s", jitter = "none")]
        #[steadfast::deadline("2s")]
        async fn hangs(peer: &Peer) -> Result<u32, Error> {
            let _ = peer.fail(0, TRANSIENT).await;
            std::future::pending().await
        }
        let (peer, start) = (Peer::default(), Instant::now());
        let Err(Error::Refused(refusal)) = hangs(&peer).await else { panic!("it hangs") };
        assert!(matches!(refusal, steadfast::Error::DeadlineExceeded { started: true, .. }));
        assert_eq!(peer.calls(), 3);
        // 2 + 1 + 2 + 2 + 2 s, and a tick of the timer for each.
        let millis = start.elapsed().as_millis();
        assert!((9_000..9_010).contains(&millis), "{millis}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cut_off_attempt_is_ambiguous() {
        #[steadfast::retry]
        #[steadfast::deadline("2s")]
        async fn hangs(peer: &Peer) -> Result<u32, Error> {
            let _ = peer.fail(0, TRANSIENT).await;
            std::future::pending().await
        }
        let peer = Peer::default();
        assert!(hangs(&peer).await.is_err());
        assert_eq!(peer.calls(), 1, "it may have happened, and nobody said that a repeat is safe");
    }
}

/// The modules beside the macros come with one `use`, so these names must not be in their way.
#[test]
fn the_names_are_there() {
    let _ = (retry::Retry::new().ceiling(1), deadline::remaining());
}
