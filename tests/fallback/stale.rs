//! The last good values.

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
