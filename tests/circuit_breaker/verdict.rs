//! What an outcome says about the dependency.

use std::panic::AssertUnwindSafe;

use tokio::time::timeout;

use super::*;

fn client() -> Client {
    Client::new(CircuitBreaker::new("verdict").consecutive(3))
}

#[tokio::test(start_paused = true)]
async fn by_class() {
    let opens = [
        (Class::Transient, true),
        (Class::Ambiguous, true),
        (Class::Throttled { retry_after: None }, true),
        (Class::Permanent, false),
        (Class::Refused { retry_after: None }, false),
    ];
    for (class, opens) in opens {
        let breaker = CircuitBreaker::new("by class").consecutive(3);
        let fail = async || -> Result<(), Trouble> {
            #[steadfast::circuit_breaker(with = *breaker)]
            async fn fail(breaker: &CircuitBreaker, class: Class) -> Result<(), Trouble> {
                Err(Trouble::Is(class))
            }
            fail(&breaker, class).await
        };
        for _ in 0..3 {
            fail().await.expect_err("it fails");
        }
        assert_eq!(breaker.state() == State::Open, opens, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_decides_instead() {
    static ANY: CircuitBreaker = CircuitBreaker::new("any").consecutive(3);
    #[steadfast::circuit_breaker(with = ANY, when = any)]
    async fn any() -> Result<(), Trouble> {
        Err(Trouble::Is(Class::Permanent))
    }
    static NONE: CircuitBreaker = CircuitBreaker::new("none").consecutive(3);
    #[steadfast::circuit_breaker(with = NONE, when = |error: &Trouble| !matches!(error, Trouble::Is(_)))]
    async fn none() -> Result<(), Trouble> {
        Err(Trouble::FAILURE)
    }
    for _ in 0..3 {
        let _ = (any().await, none().await);
    }
    assert_eq!(ANY.state(), State::Open);
    assert_eq!(NONE.state(), State::Closed);
    assert_eq!(NONE.snapshot().counted.ignored, 3);
}

#[tokio::test(start_paused = true)]
async fn refused_before_anything_of_the_body_runs() {
    let client = client();
    client.calls(1000, Mood::Fails).await;
    assert_eq!(client.peer.calls(), 3);
    let refused = client.call().await.expect_err("it is open");
    let Trouble::Refused(refusal @ Error::CircuitOpen { breaker, retry_after, .. }) = refused
    else {
        panic!("{refused}")
    };
    assert_eq!(breaker, "verdict");
    let left = retry_after.expect("it was opened by failures");
    assert!(27 * SECOND <= left && left <= 33 * SECOND, "{left:?}");
    assert_eq!((refusal.http_status(), refusal.grpc_code()), (503, 14));
    assert!(refusal.to_string().starts_with("the circuit breaker `verdict` is open for another "));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    let client = client();
    client.peer.is(Mood::Panics);
    for _ in 0..3 {
        let call = AssertUnwindSafe(client.call());
        let panics = futures_catch(call).await;
        assert!(panics, "as told");
    }
    assert_eq!(client.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_in_anothers_panic_has_not_failed() {
    let client = client();
    client.peer.is(Mood::Hangs);
    for _ in 0..3 {
        let both = AssertUnwindSafe(async {
            let mut call = std::pin::pin!(client.call());
            assert!(timeout(SECOND, call.as_mut()).await.is_err());
            panic!("not the call's");
        });
        assert!(futures_catch(both).await);
    }
    assert_eq!(client.state(), State::Closed);
    assert_eq!(client.breaker.snapshot().counted.failures, 0);
}

/// Whether a future panics.
async fn futures_catch<F: Future>(future: AssertUnwindSafe<F>) -> bool {
    let mut future = std::pin::pin!(future.0);
    std::future::poll_fn(|cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(polled) => polled.map(|_| false),
            Err(_) => std::task::Poll::Ready(true),
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_says_nothing() {
    let client = client();
    client.peer.is(Mood::Hangs);
    for _ in 0..10 {
        assert!(timeout(SECOND, client.call()).await.is_err());
    }
    drop(client.call());
    assert_eq!(client.state(), State::Closed);
    assert_eq!(client.breaker.snapshot().counted.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_its_deadline_cuts_off_has_failed() {
    #[steadfast::deadline("1s")]
    async fn above(client: &Client) -> Result<u32, Trouble> {
        client.call().await
    }
    #[steadfast::circuit_breaker(with = client.breaker)]
    #[steadfast::deadline("1s")]
    async fn below(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    for below_it in [false, true] {
        let client = client();
        client.peer.is(Mood::Hangs);
        for _ in 0..3 {
            let outcome = if below_it { below(&client).await } else { above(&client).await };
            let error = outcome.expect_err("it hangs");
            assert!(matches!(error, Trouble::Refused(Error::DeadlineExceeded { .. })), "{error}");
        }
        assert_eq!(client.state(), State::Open, "the deadline below: {below_it}");
    }
}

/// That it was cut off is not for `when` to judge: it cannot know.
#[tokio::test(start_paused = true)]
async fn also_where_when_does_not_know_of_it() {
    #[steadfast::circuit_breaker(with = client.breaker, when = |error| matches!(error, Trouble::Is(_)))]
    #[steadfast::deadline("1s")]
    async fn choosy(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let client = client();
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    choosy(&client).await.expect_err("it hangs");
    assert_eq!(client.state(), State::Open);
}

/// Whoever runs it together with others may not poll it again when the time is over.
#[tokio::test(start_paused = true)]
async fn also_where_it_is_polled_once() {
    #[steadfast::deadline("1s")]
    async fn together(client: &Client) -> Result<u32, Trouble> {
        let mut call = Box::pin(client.call());
        let polled =
            std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
        pending().await
    }
    let client = client();
    client.peer.is(Mood::Hangs);
    for _ in 0..3 {
        together(&client).await.expect_err("it hangs");
    }
    assert_eq!(client.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_comes_too_late_says_nothing() {
    #[steadfast::deadline("1s")]
    async fn late(client: &Client) -> Result<u32, Trouble> {
        let _ = steadfast::deadline::remaining();
        advance(2 * SECOND).await;
        for _ in 0..10 {
            client_with_a_deadline(client).await.expect_err("there is no time");
        }
        Ok(0)
    }
    #[steadfast::circuit_breaker(with = client.breaker)]
    #[steadfast::deadline("500ms")]
    async fn client_with_a_deadline(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let client = client();
    late(&client).await.expect("the deadline cuts off nothing that is ready");
    assert_eq!((client.state(), client.peer.calls()), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it() {
    let slow = CircuitBreaker::new("slow").slow_after(SECOND).slow_rate(0.6).min_calls(10);
    let client = Client::new(slow);
    client.calls(4, Mood::Well).await;
    client.calls(5, Mood::Slow).await;
    assert_eq!(client.state(), State::Closed, "five of nine are");
    client.calls(1, Mood::Slow).await;
    assert_eq!(client.state(), State::Open, "six of ten are");
    let counted = client.breaker.snapshot().counted;
    assert_eq!((counted.slow, counted.failures, counted.successes), (6, 0, 10));
    assert!(client.call().await.expect_err("it is open").is_open());
    // A probe that is slow is no better.
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Slow).await;
    assert_eq!(client.state(), State::Open);
}
