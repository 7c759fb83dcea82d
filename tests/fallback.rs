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

const SECOND: Duration = Duration::from_secs(1);

fn down() -> io::Error {
    io::ErrorKind::ConnectionRefused.into()
}

/// Every form that a fallback can have.
mod forms {
    use super::*;

    async fn asynchronous(a: &str, b: u32) -> io::Result<String> {
        Ok(format!("async {a} {b}"))
    }
    #[expect(clippy::unnecessary_wraps, reason = "as it may be")]
    fn synchronous(a: &str, b: u32) -> io::Result<String> {
        Ok(format!("sync {a} {b}"))
    }
    async fn value_later(a: &str, b: u32) -> String {
        format!("value later {a} {b}")
    }
    fn value(a: &str, b: u32) -> String {
        format!("value {a} {b}")
    }
    async fn with_error(a: &str, b: u32, error: &io::Error) -> io::Result<String> {
        sleep(SECOND).await;
        Ok(format!("async {a} {b} {error}"))
    }
    fn value_with_error(a: &str, b: u32, error: &io::Error) -> String {
        format!("value {a} {b} {error}")
    }
    fn generic<A: Into<String>, B: Into<u64>>(a: A, b: B) -> String {
        let (a, b): (String, u64) = (a.into(), b.into());
        format!("{a}{b}")
    }

    macro_rules! falls_back {
        ($($name:ident => $expected:expr,)*) => {
            $({
                #[steadfast::fallback($name)]
                async fn fails(a: &str, b: u32) -> io::Result<String> {
                    let _ = (a, b);
                    Err(down())
                }
                assert_eq!(fails("a", 7).await.expect("the fallback"), $expected);
            })*
        };
    }

    #[tokio::test(start_paused = true)]
    async fn each_is_called_as_it_is() {
        falls_back! {
            asynchronous => "async a 7",
            synchronous => "sync a 7",
            value_later => "value later a 7",
            value => "value a 7",
            with_error => "async a 7 connection refused",
            value_with_error => "value a 7 connection refused",
            generic => "a7",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_expression() {
        #[steadfast::fallback(expr = vec![b + 1])]
        async fn values(b: u32) -> io::Result<Vec<u32>> {
            Err(down()).map(|()| vec![b])
        }
        #[steadfast::fallback(expr = asynchronous(a, 1).await)]
        async fn awaits(a: &str) -> io::Result<String> {
            let _ = a;
            Err(down())
        }
        #[steadfast::fallback(expr = value_later(a, 2))]
        async fn later(a: &str) -> io::Result<String> {
            let _ = a;
            Err(down())
        }
        assert_eq!(values(1).await.expect("the fallback"), [2]);
        assert_eq!(awaits("a").await.expect("the fallback"), "async a 1");
        assert_eq!(later("a").await.expect("the fallback"), "value later a 2");
    }
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

/// Methods, owned arguments that the body only reads, `&mut`, traits.
mod functions {
    use super::*;

    struct Shop {
        bestsellers: Vec<String>,
        asked: u32,
    }

    impl Shop {
        #[steadfast::fallback(Self::bestsellers)]
        async fn recommendations(&self, user: String) -> io::Result<Vec<String>> {
            sleep(SECOND).await;
            Err(down()).map(|()| vec![user.clone()])
        }

        async fn bestsellers(&self, user: String) -> io::Result<Vec<String>> {
            sleep(SECOND).await;
            let mut all = self.bestsellers.clone();
            all.push(user);
            Ok(all)
        }

        #[steadfast::fallback(Self::count)]
        async fn ask(&mut self, answer: Option<u32>) -> io::Result<u32> {
            self.asked += 1;
            answer.ok_or_else(down)
        }

        fn count(&mut self, _: Option<u32>) -> u32 {
            self.asked += 10;
            self.asked
        }

        /// Tiers that read, that write, and an expression, one after the other.
        #[steadfast::fallback(Self::refuses, Self::reads, expr = self.asked + 100)]
        async fn ask_in_turn(&mut self, log: &mut Vec<u32>) -> io::Result<u32> {
            self.asked += 1;
            log.push(self.asked);
            Err(down())
        }

        fn refuses(&mut self, log: &mut Vec<u32>) -> io::Result<u32> {
            self.asked += 1;
            log.push(self.asked);
            Err(down())
        }

        async fn reads(&self, log: &[u32]) -> io::Result<u32> {
            sleep(SECOND).await;
            log.get(2).copied().ok_or_else(down)
        }
    }

    #[async_trait::async_trait]
    trait Prices {
        async fn price(&self, movie: &str) -> io::Result<usize>;
        async fn raise(&mut self, by: u32) -> io::Result<u32>;
    }

    #[async_trait::async_trait]
    impl Prices for Shop {
        #[steadfast::fallback(list_price)]
        async fn price(&self, movie: &str) -> io::Result<usize> {
            let _ = movie;
            Err(down())
        }

        #[steadfast::fallback(Self::raised, expr = self.asked + by)]
        async fn raise(&mut self, by: u32) -> io::Result<u32> {
            self.asked += by;
            Err(down())
        }
    }

    impl Shop {
        fn raised(&mut self, by: u32) -> io::Result<u32> {
            self.asked += by;
            Err(down())
        }
    }

    fn list_price(shop: &Shop, movie: &str) -> usize {
        shop.bestsellers.len() + movie.len()
    }

    #[steadfast::fallback(empty)]
    async fn generic<T: Send + Sync, I>(items: &[T], more: I) -> io::Result<Vec<I>>
    where
        I: Send + Sync,
    {
        let _ = (items, &more);
        Err(down())
    }

    fn empty<T, I>(items: &[T], more: I) -> Vec<I> {
        assert_eq!(items.len(), 1);
        vec![more]
    }

    #[tokio::test(start_paused = true)]
    async fn of_every_shape() {
        let mut shop = Shop { bestsellers: vec!["Alien".to_owned()], asked: 0 };
        let served = shop.recommendations("Ripley".to_owned()).await.expect("the fallback");
        assert_eq!(served, ["Alien", "Ripley"]);
        assert_eq!(shop.ask(Some(3)).await.expect("it is well"), 3);
        assert_eq!(shop.ask(None).await.expect("the fallback"), 12);
        let mut log = Vec::new();
        assert_eq!(shop.ask_in_turn(&mut log).await.expect("the last of them"), 114);
        assert_eq!(log, [13, 14]);
        assert_eq!(shop.price("Alien").await.expect("the fallback"), 6);
        assert_eq!(shop.raise(100).await.expect("the last of them"), 314);
        assert_eq!(generic(&[1], 'x').await.expect("the fallback"), ['x']);
    }

    #[test]
    fn stay_send() {
        fn send<T: Send>(_: &T) {}
        let mut shop = Shop { bestsellers: Vec::new(), asked: 0 };
        send(&shop.recommendations(String::new()));
        send(&shop.price(""));
        send(&shop.ask(None));
    }
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

mod stale {
    use super::*;

    static UP: AtomicU32 = AtomicU32::new(0);

    #[steadfast::fallback(stale = "5m", key = (user, page), bestsellers)]
    async fn recommendations(user: &str, page: u32, up: bool) -> Result<u32, Error> {
        let _ = (user, page);
        if up { Ok(UP.fetch_add(1, Ordering::Relaxed) + 1) } else { hangs().await }
    }

    fn bestsellers(_: &str, _: u32, _: bool) -> u32 {
        0
    }

    #[steadfast::deadline("1s")]
    async fn hangs() -> Result<u32, Error> {
        pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_value_of_the_key_first() {
        let lines = observed("::stale::recommendations");
        assert_eq!(recommendations("a", 1, false).await.expect("the fallback"), 0);
        let first = recommendations("a", 1, true).await.expect("it is well");
        let second = recommendations("b", 1, true).await.expect("it is well");
        assert_ne!(first, second);
        advance(100 * SECOND).await;
        assert_eq!(recommendations("a", 1, false).await.expect("stale"), first);
        assert_eq!(recommendations("b", 1, false).await.expect("stale"), second);
        assert_eq!(recommendations("a", 2, false).await.expect("the fallback"), 0);
        advance(250 * SECOND).await;
        assert_eq!(recommendations("a", 1, false).await.expect("the fallback"), 0, "too old");
        let lines: Vec<_> = lines.try_iter().collect();
        assert_eq!(lines[0], "bestsellers failed");
        assert!(lines[1].starts_with("stale failed 101"), "{lines:?}");
        assert_eq!(lines[3..], ["bestsellers failed", "bestsellers failed"]);
    }

    #[tokio::test(start_paused = true)]
    async fn alone_it_gives_the_original_error() {
        #[steadfast::fallback(stale = "5m")]
        async fn alone() -> io::Result<u32> {
            Err(down())
        }
        let error = alone().await.expect_err("nothing is kept");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A call that began earlier and comes in later has an older value.
    #[tokio::test(start_paused = true)]
    async fn a_late_value_does_not_take_a_newer_ones_place() {
        #[steadfast::fallback(stale = "5m", key = ())]
        async fn slow(answer: Option<u32>, takes: Duration) -> io::Result<u32> {
            sleep(takes).await;
            answer.ok_or_else(down)
        }
        let (first, second) = tokio::join!(slow(Some(1), 3 * SECOND), async {
            sleep(SECOND).await;
            slow(Some(2), SECOND).await
        });
        assert_eq!((first.expect("it is well"), second.expect("it is well")), (1, 2));
        assert_eq!(slow(None, SECOND).await.expect("stale"), 2);
    }

    /// What strangers can make it remember is bounded.
    #[tokio::test(start_paused = true)]
    async fn the_oldest_half_goes_when_there_are_too_many() {
        #[steadfast::fallback(stale = "5m", key = key)]
        async fn many(key: u32, up: bool) -> io::Result<u32> {
            if up { Ok(key) } else { Err(down()) }
        }
        for key in 0..25_000 {
            many(key, true).await.expect("it is well");
        }
        let mut kept = 0;
        for key in 0..25_000 {
            kept += u32::from(many(key, false).await.is_ok());
        }
        assert!((5_000..=10_000).contains(&kept), "{kept}");
        for key in 24_000..25_000 {
            assert_eq!(many(key, false).await.expect("the youngest"), key);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_generic_function_each_type_has_its_own() {
        #[steadfast::fallback(stale = "5m", key = ())]
        async fn generic<T>(value: Option<T>) -> io::Result<T>
        where
            T: Clone + Send + Sync + 'static,
        {
            value.ok_or_else(down)
        }
        assert_eq!(generic(Some(1_u8)).await.expect("it is well"), 1);
        generic::<u16>(None).await.expect_err("a `u8` is no `u16`");
        assert_eq!(generic::<u8>(None).await.expect("stale"), 1);
    }
}
