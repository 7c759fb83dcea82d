//! `#[deadline]` on a paused clock.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
    time::Duration,
};

use steadfast::{
    Error,
    deadline::{carry, remaining},
};
use tokio::{
    task::yield_now,
    time::{Instant, advance, sleep},
};

const SECOND: Duration = Duration::from_secs(1);

/// Timers tick in milliseconds.
#[track_caller]
fn assert_close(is: Duration, should: Duration) {
    assert!(is.abs_diff(should) <= Duration::from_millis(2), "{is:?} is not {should:?}");
}

#[steadfast::deadline("1s")]
async fn hangs() -> Result<(), Error> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn cuts_off_a_body_that_waits() {
    let start = Instant::now();
    let Err(Error::DeadlineExceeded { function, limit, late, started, .. }) = hangs().await else {
        panic!("it hangs")
    };
    assert_close(start.elapsed(), SECOND);
    assert_close(late, Duration::ZERO);
    assert!(function.ends_with("::deadline::hangs"), "{function}");
    assert_eq!(limit, Some(SECOND));
    assert!(started);
}

#[tokio::test(start_paused = true)]
async fn drops_the_body_when_it_cuts_off() {
    struct Sets<'a>(&'a AtomicBool);
    impl Drop for Sets<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    #[steadfast::deadline("1s")]
    async fn holds(dropped: &AtomicBool) -> Result<(), Error> {
        let _guard = Sets(dropped);
        pending().await
    }
    let dropped = AtomicBool::new(false);
    assert!(holds(&dropped).await.is_err());
    assert!(dropped.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_ready_wins() {
    #[steadfast::deadline("1s")]
    async fn just_in_time() -> Result<u8, Error> {
        sleep(SECOND).await;
        Ok(1)
    }
    #[steadfast::deadline("1s")]
    async fn blocks() -> Result<u8, Error> {
        yield_now().await;
        advance(3 * SECOND).await;
        Ok(2)
    }
    assert_eq!(just_in_time().await.ok(), Some(1));
    assert_eq!(blocks().await.ok(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_body_does_not_start_when_it_is_too_late() {
    #[steadfast::deadline("1s")]
    async fn outer(ran: &AtomicBool) -> Result<Result<(), Error>, Error> {
        yield_now().await; // from here on the clock counts
        // A body that goes on after its deadline, because it never waits for anything else.
        advance(3 * SECOND).await;
        Ok(inner(ran).await)
    }
    #[steadfast::deadline("10s")]
    async fn inner(ran: &AtomicBool) -> Result<(), Error> {
        ran.store(true, Ordering::Relaxed);
        Ok(())
    }
    let ran = AtomicBool::new(false);
    let Ok(Err(Error::DeadlineExceeded { late, started, .. })) = outer(&ran).await else {
        panic!("the inner call is too late")
    };
    assert_close(late, 2 * SECOND);
    assert!(!started && !ran.load(Ordering::Relaxed));
}

mod inherited {
    use super::*;

    #[steadfast::deadline]
    async fn left() -> Result<Option<Duration>, Error> {
        yield_now().await;
        Ok(remaining())
    }

    #[tokio::test(start_paused = true)]
    async fn the_sooner_one_counts() {
        #[steadfast::deadline("5s")]
        async fn five() -> Result<Option<Duration>, Error> {
            sleep(SECOND).await;
            Ok(remaining())
        }
        #[steadfast::deadline("3s")]
        async fn three() -> Result<[Option<Duration>; 3], Error> {
            Ok([left().await?, five().await?, remaining()])
        }
        assert_eq!(left().await.ok(), Some(None));
        let [first, second, last] = three().await.expect("in time");
        assert_eq!(first, Some(3 * SECOND));
        assert_close(second.expect("inherited"), 2 * SECOND);
        assert_eq!(last, second);
        assert_close(five().await.expect("in time").expect("its own"), 4 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn the_inner_one_ends_first_when_it_is_sooner() {
        #[steadfast::deadline("5s")]
        async fn outer() -> Result<Duration, Error> {
            let start = Instant::now();
            assert!(hangs().await.is_err());
            assert_close(remaining().expect("its own"), 4 * SECOND);
            Ok(start.elapsed())
        }
        assert_close(outer().await.expect("in time"), SECOND);
    }

    /// Whose deadline it was, also where one clock was started by the other's reading.
    #[tokio::test(start_paused = true)]
    async fn is_told_from_the_own() {
        #[steadfast::deadline("2s")]
        async fn outer(limit: Duration) -> Result<Error, Error> {
            #[steadfast::deadline(limit)]
            async fn inner(limit: Duration) -> Result<(), Error> {
                pending().await
            }
            Ok(inner(limit).await.expect_err("it hangs"))
        }
        let limit_of = async |limit| {
            let (Ok(Error::DeadlineExceeded { limit, .. })
            | Err(Error::DeadlineExceeded { limit, .. })) = outer(limit).await
            else {
                panic!("there is no other error")
            };
            limit
        };
        assert_eq!(limit_of(SECOND).await, Some(SECOND));
        assert_eq!(limit_of(5 * SECOND).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn crosses_join_but_not_spawn() {
        #[steadfast::deadline("3s")]
        async fn fan_out() -> Result<(), Error> {
            sleep(SECOND).await;
            let (one, other) = tokio::join!(left(), async { remaining() });
            assert_close(one?.expect("joined"), 2 * SECOND);
            assert_close(other.expect("joined"), 2 * SECOND);
            let spawned = tokio::spawn(async { remaining() }).await;
            assert_eq!(spawned.expect("no panic"), None);
            let carried = tokio::spawn(carry(async {
                yield_now().await;
                remaining()
            }));
            assert_close(carried.await.expect("no panic").expect("carried"), 2 * SECOND);
            Ok(())
        }
        assert_eq!(fan_out().await.ok(), Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_carried_deadline_is_that_of_the_call() {
        #[steadfast::deadline("3s")]
        async fn makes() -> Result<impl Future<Output = Result<Option<Duration>, Error>>, Error> {
            Ok(carry(left()))
        }
        let carried = makes().await.expect("in time");
        sleep(SECOND).await;
        assert_close(carried.await.expect("in time").expect("carried"), 2 * SECOND);
        let carried = makes().await.expect("in time");
        sleep(4 * SECOND).await;
        let late = carried.await;
        assert!(matches!(late, Err(Error::DeadlineExceeded { started: false, limit: None, .. })));
    }

    /// Whoever asks first starts the clock for all around it.
    #[tokio::test(start_paused = true)]
    async fn has_one_clock() {
        #[steadfast::deadline("3s")]
        async fn outer() -> Result<Option<Duration>, Error> {
            inner().await?;
            advance_within_a_poll(SECOND);
            Ok(remaining())
        }
        #[steadfast::deadline("10s")]
        async fn inner() -> Result<Option<Duration>, Error> {
            Ok(remaining())
        }
        /// What a body does that computes for long.
        fn advance_within_a_poll(time: Duration) {
            let moved = pin!(advance(time)).poll(&mut Context::from_waker(Waker::noop()));
            assert!(moved.is_pending());
        }
        assert_eq!(outer().await.ok(), Some(Some(2 * SECOND)));
    }

    #[tokio::test(start_paused = true)]
    async fn is_over_at_its_very_end() {
        #[steadfast::deadline("3s")]
        async fn makes() -> Result<impl Future<Output = Result<Option<Duration>, Error>>, Error> {
            Ok(carry(left()))
        }
        let carried = makes().await.expect("in time");
        advance(3 * SECOND).await;
        assert!(matches!(carried.await, Err(Error::DeadlineExceeded { started: false, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn ends_with_the_future_also_when_that_panics() {
        #[steadfast::deadline("3s")]
        async fn panics() -> Result<(), Error> {
            yield_now().await;
            panic!("on purpose");
        }
        let mut future = Box::pin(panics());
        let mut poll = || {
            let unwind = std::panic::AssertUnwindSafe(|| {
                future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            });
            std::panic::catch_unwind(unwind)
        };
        assert!(poll().is_ok_and(|polled| polled.is_pending()));
        assert_eq!(remaining(), None);
        assert!(poll().is_err());
        assert_eq!(remaining(), None);
    }
}

mod reserve {
    use super::*;

    #[steadfast::deadline("10s", reserve = "1s")]
    async fn outer() -> Result<[Duration; 3], Error> {
        let own = remaining().ok_or(()).expect("a deadline");
        let [middle, inner] = middle().await?;
        Ok([own, middle, inner])
    }

    #[steadfast::deadline(reserve = "1s")]
    async fn middle() -> Result<[Duration; 2], Error> {
        let own = remaining().expect("a deadline");
        yield_now().await;
        Ok([own, inner().await?])
    }

    #[steadfast::deadline]
    async fn inner() -> Result<Duration, Error> {
        Ok(remaining().expect("a deadline"))
    }

    /// 10 s → 9 s → 8 s, with the clock started by the first who asks.
    #[tokio::test(start_paused = true)]
    async fn is_kept_back_at_each_step() {
        assert_eq!(outer().await.ok(), Some([9 * SECOND, 8 * SECOND, 8 * SECOND]));
    }

    #[tokio::test(start_paused = true)]
    async fn is_there_when_the_callee_has_run_out() {
        #[steadfast::deadline]
        async fn callee() -> Result<(), Error> {
            pending().await
        }
        #[steadfast::deadline("2s", reserve = "500ms")]
        async fn caller() -> Result<Duration, Error> {
            let start = Instant::now();
            assert!(callee().await.is_err());
            let used = start.elapsed();
            sleep(Duration::from_millis(400)).await;
            Ok(used)
        }
        assert_close(caller().await.expect("in time"), Duration::from_millis(1_500));
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_shorten_the_call_itself() {
        #[steadfast::deadline("2s", reserve = "500ms")]
        async fn waits() -> Result<(), Error> {
            let _ = remaining(); // starts the clock from below
            pending().await
        }
        let start = Instant::now();
        assert!(waits().await.is_err());
        assert_close(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn that_leaves_nothing_lets_nothing_start() {
        #[steadfast::deadline]
        async fn callee() -> Result<(), Error> {
            Ok(())
        }
        #[steadfast::deadline(limit, reserve = limit)]
        async fn caller(limit: Duration, first: bool) -> Result<(), Error> {
            if !first {
                yield_now().await; // starts the clock
            }
            let refusal = callee().await.expect_err("there is no time");
            assert!(matches!(refusal, Error::DeadlineExceeded { started: false, limit: None, .. }));
            Ok(())
        }
        assert!(caller(SECOND, true).await.is_ok());
        assert!(caller(SECOND, false).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn may_be_more_than_there_is_at_run_time() {
        #[steadfast::deadline(limit, reserve = reserve)]
        async fn call(limit: Duration, reserve: Duration) -> Result<Option<Duration>, Error> {
            let before = remaining();
            yield_now().await;
            assert_eq!(remaining(), before);
            Ok(before)
        }
        assert_eq!(call(SECOND, 2 * SECOND).await.ok(), Some(Some(Duration::ZERO)));
        assert_eq!(call(2 * SECOND, Duration::MAX).await.ok(), Some(Some(Duration::ZERO)));
    }
}

mod limits_at_run_time {
    use super::*;

    struct Service {
        limit: Duration,
    }

    impl Service {
        #[steadfast::deadline(self.limit)]
        async fn call(&self) -> Result<Option<Duration>, Error> {
            yield_now().await;
            Ok(remaining())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_every_length() {
        let call = async |limit| Service { limit }.call().await;
        assert_eq!(call(SECOND).await.ok(), Some(Some(SECOND)));
        assert!(matches!(
            call(Duration::ZERO).await,
            Err(Error::DeadlineExceeded { started: false, .. })
        ));
        assert_eq!(call(Duration::MAX).await.ok(), Some(None), "longer than the clock: none");
    }
}

/// A body that has used up its task's cooperative budget must not hold the timer up.
#[tokio::test]
async fn a_greedy_body_is_cut_off() {
    #[steadfast::deadline("20ms")]
    async fn greedy() -> Result<(), Error> {
        loop {
            tokio::task::consume_budget().await;
        }
    }
    assert!(greedy().await.is_err());
}

/// There is no runtime here: a call that is ready at once needs neither clock nor timer.
#[test]
fn a_ready_call_registers_no_timer() {
    #[steadfast::deadline("1s")]
    async fn ready() -> Result<u8, Error> {
        Ok(1)
    }
    let polled = pin!(ready()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(1))));
}

/// The same macro, imported with the module of its name.
#[tokio::test(start_paused = true)]
async fn by_its_short_name() {
    use steadfast::deadline;
    #[deadline("1s")]
    async fn short() -> Result<(), Error> {
        pending().await
    }
    assert!(short().await.is_err());
    assert_eq!(deadline::remaining(), None);
}
