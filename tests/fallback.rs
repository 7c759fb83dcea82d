//! `#[fallback]` on a paused clock.

use std::{
    future::pending,
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use steadfast::{
    Error,
    telemetry::{self, Event},
};
use tokio::time::{Instant, advance, sleep};

mod forms;
mod functions;
mod stale;

const SECOND: Duration = Duration::from_secs(1);

fn down() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

#[tokio::test(start_paused = true)]
async fn not_called_while_all_is_well() {
    fn never(_: u32) -> u32 {
        panic!("all is well")
    }
    #[steadfast::fallback(never)]
    async fn well(n: u32) -> io::Result<u32> {
        Ok(n)
    }
    assert_eq!(well(3).await.expect("all is well"), 3);
}

/// Events of the functions of this file, a line each.
fn observed(function: &'static str) -> std::sync::mpsc::Receiver<String> {
    let (sender, lines) = std::sync::mpsc::channel();
    telemetry::observe(move |event| {
        let line = match *event {
            Event::FallbackServed { function: name, tier, trigger, age, .. }
                if name.ends_with(function) =>
            {
                match age {
                    Some(age) => format!("{tier} {trigger} {age:?}"),
                    None => format!("{tier} {trigger}"),
                }
            }
            Event::FallbackFailed { function: name, trigger, .. } if name.ends_with(function) => {
                format!("none {trigger}")
            }
            _ => return,
        };
        let _ = sender.send(line);
    });
    lines
}

#[tokio::test(start_paused = true)]
async fn tiers_in_their_order() {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    fn replica(up_to: u32) -> io::Result<&'static str> {
        TRIED.fetch_add(1, Ordering::Relaxed);
        if up_to >= 1 { Ok("replica") } else { Err(io::Error::other("replica")) }
    }
    async fn archive(up_to: u32, error: &io::Error) -> io::Result<&'static str> {
        TRIED.fetch_add(10, Ordering::Relaxed);
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "the original error");
        if up_to >= 2 { Ok("archive") } else { Err(io::Error::other("archive")) }
    }
    #[steadfast::fallback(replica, archive)]
    async fn tiered(up_to: u32) -> io::Result<&'static str> {
        let _ = up_to;
        Err(down())
    }
    fn only_two(up_to: u32) -> io::Result<&'static str> {
        if up_to == 2 { Ok("two") } else { Err(io::Error::other("two")) }
    }
    #[steadfast::fallback(only_two, archive, expr = "expr")]
    async fn three(up_to: u32) -> io::Result<&'static str> {
        let _ = up_to;
        Err(down())
    }
    let lines = observed("::tiered");
    assert_eq!(tiered(1).await.expect("a tier"), "replica");
    assert_eq!(TRIED.swap(0, Ordering::Relaxed), 1);
    assert_eq!(three(2).await.expect("a tier"), "two");
    assert_eq!(three(3).await.expect("a tier"), "archive");
    assert_eq!(three(0).await.expect("a tier"), "expr");
    let error = tiered(0).await.expect_err("none has a value");
    assert_eq!(error.to_string(), "archive", "the last one's error");
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["replica failed", "none failed"]);
}

/// The fallback of what a breaker refuses, and of what it does not.
#[tokio::test(start_paused = true)]
async fn on_what() {
    macro_rules! on {
        ($on:literal) => {{
            #[steadfast::fallback(on = $on, expr = "fallback")]
            #[steadfast::circuit_breaker(consecutive = 1)]
            async fn fails() -> io::Result<&'static str> {
                Err(down())
            }
            [fails().await.is_ok(), fails().await.is_ok()]
        }};
    }
    assert_eq!(on!("any"), [true, true]);
    assert_eq!(on!("failed"), [true, false]);
    assert_eq!(on!("refused"), [false, true]);
}

/// What nobody could have answered otherwise is nothing to stand in for.
#[tokio::test(start_paused = true)]
async fn when_it_is_an_outage() {
    #[steadfast::fallback(expr = 7, when = steadfast::Fault::class)]
    #[steadfast::circuit_breaker(consecutive = 1)]
    async fn by_class(kind: io::ErrorKind) -> io::Result<u32> {
        Err(kind.into())
    }
    #[steadfast::fallback(expr = 7, when = |error| error.kind() == io::ErrorKind::NotFound)]
    async fn by_closure(kind: io::ErrorKind) -> io::Result<u32> {
        Err(kind.into())
    }
    by_class(io::ErrorKind::NotFound).await.expect_err("there is none");
    assert_eq!(by_class(io::ErrorKind::ConnectionRefused).await.expect("the fallback"), 7);
    assert_eq!(by_class(io::ErrorKind::NotFound).await.expect("the breaker is open"), 7);
    by_closure(io::ErrorKind::ConnectionRefused).await.expect_err("not that");
    assert_eq!(by_closure(io::ErrorKind::NotFound).await.expect("the fallback"), 7);
}

/// An attempt that was refused does not make a refusal of the next one's failure.
#[tokio::test(start_paused = true)]
async fn on_what_the_last_attempt_was() {
    macro_rules! on {
        ($on:literal) => {{
            #[steadfast::fallback(on = $on, expr = 7)]
            #[steadfast::retry(max = 2, when = any, budget = none)]
            #[steadfast::deadline("10ms")]
            async fn late_and_then_wrong(attempts: &mut u32) -> io::Result<u32> {
                *attempts += 1;
                if *attempts == 1 { pending().await } else { Err(io::ErrorKind::NotFound.into()) }
            }
            late_and_then_wrong(&mut 0).await.is_ok()
        }};
    }
    assert_eq!([on!("refused"), on!("failed"), on!("any")], [false, true, true]);
}

/// What a deadline keeps back for the fallback is there for the policies of the fallback too.
#[tokio::test(start_paused = true)]
async fn a_fallback_has_what_is_kept_back() {
    #[steadfast::deadline("100ms")]
    async fn replica(_: u32) -> io::Result<Duration> {
        sleep(Duration::from_millis(10)).await;
        Ok(steadfast::deadline::remaining().expect("there is one"))
    }
    #[steadfast::retry(max = 3, base = "50ms", jitter = "none", budget = none)]
    async fn retried(failures: u32) -> io::Result<Duration> {
        static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
        match ATTEMPTS.fetch_add(1, Ordering::Relaxed) {
            attempt if attempt < failures => Err(down()),
            _ => Ok(steadfast::deadline::remaining().expect("there is one")),
        }
    }
    macro_rules! with_a_reserve_of {
        ($reserve:expr, $fallback:ident, $inner:literal) => {{
            #[steadfast::deadline("2s", reserve = $reserve)]
            #[steadfast::fallback($fallback)]
            async fn hangs(_failures: u32) -> io::Result<Duration> {
                pending().await
            }
            #[steadfast::deadline("2s", reserve = $reserve)]
            #[steadfast::fallback($fallback)]
            #[steadfast::deadline($inner)]
            async fn hangs_below(_failures: u32) -> io::Result<Duration> {
                pending().await
            }
            let start = Instant::now();
            let left = hangs(0).await.expect("the fallback");
            (left, start.elapsed(), hangs_below(2).await.expect("the fallback"))
        }};
    }
    const RESERVE: Duration = Duration::from_millis(500);
    let (left, took, below) = with_a_reserve_of!(RESERVE, replica, "1900ms");
    assert!(left > Duration::from_millis(80), "{left:?}");
    assert!(took < Duration::from_millis(1_520), "{took:?}");
    assert!(below > Duration::from_millis(80), "{below:?}");
    let (left, _, below) = with_a_reserve_of!("500ms", retried, "100ms");
    assert!(left > Duration::from_millis(480), "{left:?}");
    assert!(below > Duration::from_millis(1_700), "{below:?}");
}

/// The deadline above says so in so many words, the one below when it runs.
#[tokio::test(start_paused = true)]
async fn each_deadline_keeps_back_its_own() {
    #[steadfast::deadline("2s", reserve = "500ms")]
    #[steadfast::fallback(expr = Duration::ZERO)]
    #[steadfast::deadline("1s", reserve = margin)]
    async fn left(margin: Duration) -> io::Result<Duration> {
        let _ = margin;
        Ok(steadfast::deadline::remaining().expect("there is one"))
    }
    let margin = Duration::from_millis(300);
    assert_eq!(left(margin).await.expect("it is well"), Duration::from_millis(700));
}

/// However short: the call itself has most of the time.
#[tokio::test(start_paused = true)]
async fn a_short_deadline_leaves_time_for_the_call() {
    #[steadfast::deadline(limit)]
    #[steadfast::fallback(expr = 7)]
    async fn ready(limit: Duration) -> io::Result<u32> {
        let _ = limit;
        Ok(1)
    }
    for micros in [1, 100, 900, 2_000] {
        assert_eq!(ready(Duration::from_micros(micros)).await.expect("it is well"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn served_when_the_time_is_over() {
    #[steadfast::deadline("2s")]
    #[steadfast::fallback(expr = "in time")]
    #[steadfast::retry(safe)]
    async fn hangs() -> io::Result<&'static str> {
        pending().await
    }
    #[steadfast::fallback(expr = "below")]
    #[steadfast::deadline("2s")]
    async fn below() -> io::Result<&'static str> {
        pending().await
    }
    async fn slow_fallback() -> &'static str {
        sleep(SECOND).await;
        "slow"
    }
    #[steadfast::deadline("2s")]
    #[steadfast::fallback(slow_fallback)]
    async fn too_slow() -> io::Result<&'static str> {
        pending().await
    }
    #[steadfast::deadline("3s", reserve = "1500ms")]
    #[steadfast::fallback(slow_fallback)]
    async fn with_a_reserve() -> io::Result<&'static str> {
        pending().await
    }
    #[steadfast::deadline("3s")]
    #[steadfast::fallback(slow_fallback)]
    #[steadfast::deadline("1s")]
    async fn with_an_inner_one() -> io::Result<&'static str> {
        pending().await
    }
    let start = Instant::now();
    assert_eq!(hangs().await.expect("the fallback"), "in time");
    assert!(start.elapsed() <= 2 * SECOND + Duration::from_millis(1), "{:?}", start.elapsed());
    assert_eq!(below().await.expect("the fallback"), "below");
    assert_eq!(too_slow().await.expect_err("no time").kind(), io::ErrorKind::TimedOut);
    let start = Instant::now();
    assert_eq!(with_a_reserve().await.expect("the fallback"), "slow");
    assert_eq!(with_an_inner_one().await.expect("the fallback"), "slow");
    assert!(start.elapsed() < 5 * SECOND);
}
