//! What the rates are taken over.

use allocation_counter::measure;
use steadfast::circuit_breaker::Window;

use super::*;

const LONG: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_window_of_calls_slides() {
    let client = Client::new(CircuitBreaker::new("calls").window(Window::Calls(100)));
    client.calls(10_000, Mood::Well).await;
    client.calls(49, Mood::Fails).await;
    assert_eq!(client.state(), State::Closed);
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open, "50 of the last 100");
}

#[tokio::test(start_paused = true)]
async fn failures_leave_a_window_of_calls_one_by_one() {
    let client = Client::new(CircuitBreaker::new("calls").window(Window::Calls(10)).min_calls(5));
    for _ in 0..100 {
        client.calls(4, Mood::Fails).await;
        assert_eq!(client.breaker.snapshot().counted.failures_in_window, 4);
        client.calls(10, Mood::Well).await;
        let counted = client.breaker.snapshot().counted;
        assert_eq!((counted.failures_in_window, counted.calls_in_window), (0, 10));
    }
    assert_eq!(client.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_slides() {
    let client = Client::new(CircuitBreaker::new("time").min_calls(10));
    client.calls(1000, Mood::Well).await;
    advance(LONG).await;
    // None of the thousand is left to hide these.
    client.calls(5, Mood::Well).await;
    client.calls(4, Mood::Fails).await;
    assert_eq!(client.state(), State::Closed, "four of nine");
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open, "five of ten");
}

#[tokio::test(start_paused = true)]
async fn failures_leave_a_window_of_time_a_tenth_at_a_time() {
    let client = Client::new(CircuitBreaker::new("time").failure_rate(1.0));
    client.calls(1, Mood::Well).await;
    for tenth in 0..10 {
        client.calls(2, Mood::Fails).await;
        let counted = client.breaker.snapshot().counted;
        assert_eq!(counted.failures_in_window, 2 * (tenth + 1));
        advance(LONG / 10).await;
    }
    for left in (0..10).rev() {
        let counted = client.breaker.snapshot().counted;
        assert_eq!(counted.failures_in_window, 2 * left);
        advance(LONG / 10).await;
    }
}

/// As many calls as one likes, spread as one likes: never a count that is not of the last minute.
#[tokio::test(start_paused = true)]
async fn a_window_of_time_holds_nine_to_ten_tenths_of_it() {
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    let client = Client::new(CircuitBreaker::new("time").failure_rate(1.0).min_calls(u32::MAX));
    let mut rng = SmallRng::seed_from_u64(1);
    let (mut now, mut calls) = (Duration::ZERO, Vec::new());
    for _ in 0..2_000 {
        let pause = Duration::from_millis(rng.random_range(0..3_000) * rng.random_range(0..4) / 3);
        advance(pause).await;
        now += pause;
        let failed = rng.random_bool(0.3);
        client.calls(1, if failed { Mood::Fails } else { Mood::Well }).await;
        calls.push((now, failed));
        let since = |tenths| {
            let young = calls.iter().filter(move |(at, _)| now < *at + LONG * tenths / 10);
            (young.clone().count() as u64, young.filter(|(_, failed)| *failed).count() as u64)
        };
        let counted = client.breaker.snapshot().counted;
        let ((fewest, fewest_failed), (most, most_failed)) = (since(9), since(10));
        assert!((fewest..=most).contains(&counted.calls_in_window), "{counted:?} of {most}");
        assert!((fewest_failed..=most_failed).contains(&counted.failures_in_window));
    }
}

#[tokio::test(start_paused = true)]
async fn few_calls_say_nothing() {
    let client = Client::new(CircuitBreaker::new("few"));
    client.calls(19, Mood::Fails).await;
    assert_eq!(client.state(), State::Closed);
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_ends_failures_in_a_row() {
    let client = Client::new(CircuitBreaker::new("row").consecutive(3));
    for _ in 0..100 {
        client.calls(2, Mood::Fails).await;
        client.calls(1, Mood::Well).await;
    }
    assert_eq!(client.state(), State::Closed);
    client.calls(3, Mood::Fails).await;
    assert_eq!(client.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_is_in_no_rate() {
    let client = Client::new(CircuitBreaker::new("ignored").min_calls(10));
    client.calls(1000, Mood::NotFound).await;
    client.calls(10, Mood::Fails).await;
    assert_eq!(client.state(), State::Open);
}

/// No record of each call is kept, however many there are in the window.
#[test]
fn a_window_of_time_does_not_grow() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let client = Client::new(CircuitBreaker::new("time").min_calls(u32::MAX));
    runtime.block_on(client.calls(10, Mood::Fails));
    let counted = measure(|| runtime.block_on(client.calls(10_000, Mood::Fails)));
    assert_eq!(counted.count_total, 0);
}

#[tokio::test(start_paused = true)]
async fn settings_out_of_range() {
    let silly = [
        CircuitBreaker::new("rate").failure_rate(0.0).slow_rate(f64::NAN).min_calls(0),
        CircuitBreaker::new("rate").failure_rate(-1.0).slow_rate(7.0),
        CircuitBreaker::new("rate").failure_rate(f64::NAN),
        CircuitBreaker::new("calls").window(Window::Calls(0)),
        CircuitBreaker::new("calls").window(Window::Calls(u32::MAX)),
        CircuitBreaker::new("time").window(Window::Time(Duration::ZERO)),
        CircuitBreaker::new("time").window(Window::Time(Duration::MAX)),
        CircuitBreaker::new("open").open_for(Duration::MAX).max_open_for(Duration::MAX),
        CircuitBreaker::new("open").open_for(Duration::ZERO).max_open_for(Duration::ZERO),
        CircuitBreaker::new("open").max_open_for(Duration::ZERO),
        CircuitBreaker::new("row").consecutive(0).probes(0).max_keys(0),
        CircuitBreaker::new("slow").slow_after(Duration::MAX),
        CircuitBreaker::new("slow").slow_after(Duration::ZERO),
    ];
    for breaker in silly {
        let client = Client::new(breaker);
        for _ in 0..3 {
            for mood in [Mood::Well, Mood::Fails, Mood::Slow] {
                client.calls(50, mood).await;
                advance(400 * SECOND).await;
            }
        }
        let _ = (client.breaker.per("key"), client.breaker.snapshot());
    }
    let exact = |breaker: CircuitBreaker| *breaker.settings();
    assert_eq!(exact(CircuitBreaker::new("").failure_rate(7.0)).failure_rate, Some(1.0));
    assert_eq!(exact(CircuitBreaker::new("").failure_rate(f64::NAN)).failure_rate, Some(0.5));
    let window = exact(CircuitBreaker::new("").window(Window::Calls(0))).window;
    assert_eq!(window, Window::Calls(1));
}
