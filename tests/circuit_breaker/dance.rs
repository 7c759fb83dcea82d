//! The story, from end to end: what the dependency sees, what the callers get, and what is told.

use std::sync::Mutex;

use steadfast::telemetry::{self, Event};
use tokio::time::Instant;

use super::*;

static PEER: Peer = Peer::new();
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[steadfast::fallback(bestsellers)]
#[steadfast::retry(max = 3, base = "100ms", jitter = "none", budget = none)]
#[steadfast::circuit_breaker(min_calls = 6)]
async fn recommendations(user: u32) -> Result<u32, Trouble> {
    let _ = user;
    PEER.answer().await
}

async fn bestsellers(_: u32) -> u32 {
    0
}

/// What this function's policies tell, a line for each event.
fn told() -> Vec<String> {
    std::mem::take(&mut *TOLD.lock().expect("no panic"))
}

fn note(event: &Event<'_>) {
    let line = match *event {
        Event::RetryScheduled { function, attempt, wait, .. } if is_ours(function) => {
            format!("retry {attempt} in {wait:?}")
        }
        Event::RetryStopped { function, cause, .. } if is_ours(function) => format!("stop {cause}"),
        Event::CircuitChanged { breaker, from, to, cause, .. } if is_ours(breaker) => {
            format!("{from} > {to} {cause}")
        }
        Event::CircuitRefused { function, .. } if is_ours(function) => "refused".to_owned(),
        Event::FallbackServed { function, tier, trigger, .. } if is_ours(function) => {
            format!("{tier} {trigger}")
        }
        _ => return,
    };
    TOLD.lock().expect("no panic").push(line);
}

fn is_ours(name: &str) -> bool {
    name.ends_with("::dance::recommendations")
}

#[tokio::test(start_paused = true)]
async fn from_a_failure_to_the_recovery() {
    telemetry::observe(note);
    let breaker = || {
        let all = steadfast::circuit_breakers();
        all.into_iter().find(|breaker| is_ours(breaker.name())).expect("it has been called")
    };

    // All is well.
    let served = recommendations(1).await.expect("it is well");
    assert_eq!((served, PEER.calls()), (1, 1));
    assert!(told().is_empty());

    // The dependency dies. The first call retries with backoff; the second brings the sixth outcome,
    // at which the breaker opens, and no attempt follows: it would be refused.
    PEER.is(Mood::Fails);
    let start = Instant::now();
    assert_eq!(recommendations(2).await.expect("the fallback"), 0);
    assert_eq!((PEER.calls(), start.elapsed().as_millis()), (4, 300));
    assert_eq!(
        told(),
        ["retry 1 in 100ms", "retry 2 in 200ms", "stop exhausted", "bestsellers failed"]
    );
    assert_eq!(recommendations(3).await.expect("the fallback"), 0);
    assert_eq!(PEER.calls(), 6);
    assert_eq!(
        told(),
        ["retry 1 in 100ms", "closed > open failure_rate", "stop refused", "bestsellers failed"]
    );

    // Callers fail fast, and get the fallback.
    let start = Instant::now();
    for user in 0..100 {
        assert_eq!(recommendations(user).await.expect("the fallback"), 0);
    }
    assert_eq!((PEER.calls(), start.elapsed()), (6, Duration::ZERO));
    let lines = told();
    assert_eq!(lines.len(), 300);
    assert!(lines.chunks(3).all(|call| call == ["refused", "stop refused", "bestsellers refused"]));

    // After 30 s one probe is let in. It fails, and the breaker stays open for longer.
    let left = breaker().snapshot().counted.retry_after.expect("it is open");
    assert!(26 * SECOND < left && left <= 33 * SECOND, "{left:?}");
    advance(left).await;
    for user in 0..100 {
        assert_eq!(recommendations(user).await.expect("the fallback"), 0);
    }
    assert_eq!(PEER.calls(), 7);
    let lines = told();
    assert_eq!(
        lines[..7],
        [
            "open > half_open open_time_over",
            "half_open > open probe_failed",
            "stop refused",
            "bestsellers failed",
            "refused",
            "stop refused",
            "bestsellers refused",
        ]
    );
    let left = breaker().snapshot().counted.retry_after.expect("it is open");
    assert!(53 * SECOND < left && left <= 66 * SECOND, "{left:?}");

    // The next probe succeeds: it closes, and starts from nothing.
    PEER.is(Mood::Well);
    advance(left).await;
    assert_eq!(recommendations(1).await.expect("it is well"), 8);
    assert_eq!(told(), ["open > half_open open_time_over", "half_open > closed probes_succeeded"]);
    let counted = breaker().snapshot().counted;
    assert_eq!((counted.state, counted.calls_in_window), (State::Closed, 0));
    assert_eq!((counted.opened, counted.failures, counted.successes), (2, 6, 2));
    assert_eq!(counted.refused, 199);
    for user in 0..100 {
        recommendations(user).await.expect("it is well");
    }
    assert_eq!(PEER.calls(), 108);
    assert!(told().is_empty());
}
