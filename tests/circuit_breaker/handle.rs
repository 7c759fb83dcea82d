//! Looking at a breaker, and forcing it.

use steadfast::circuit_breaker::Cause;

use super::*;

#[tokio::test(start_paused = true)]
async fn forced_open() {
    let client = Client::new(CircuitBreaker::new("forced"));
    client.breaker.force_open();
    advance(Duration::from_secs(86_400)).await;
    let refused = client.call().await.expect_err("it is open");
    assert!(matches!(
        refused,
        Trouble::Refused(Error::CircuitOpen { breaker: "forced", retry_after: None, .. })
    ));
    assert_eq!(refused.to_string(), "the circuit breaker `forced` is open");
    client.breaker.reset();
    client.call().await.expect("it is closed");
}

#[tokio::test(start_paused = true)]
async fn forced_closed_and_disabled() {
    for (force, counts) in [
        (CircuitBreaker::force_closed as fn(&CircuitBreaker), true),
        (CircuitBreaker::disable, false),
    ] {
        let client = Client::new(CircuitBreaker::new("forced"));
        client.until_half_open().await;
        let before = client.breaker.snapshot().counted;
        force(&client.breaker);
        client.calls(100, Mood::Fails).await;
        client.calls(100, Mood::Well).await;
        let counted = client.breaker.snapshot().counted;
        assert!(matches!(counted.state, State::ForcedClosed | State::Disabled));
        assert_eq!(counted.failures - before.failures, if counts { 100 } else { 0 });
        assert_eq!(counted.successes - before.successes, if counts { 100 } else { 0 });
        assert!(!counts || counted.calls_in_window == 200, "{counted:?}");
        client.breaker.reset();
        client.calls(20, Mood::Fails).await;
        assert_eq!(client.state(), State::Open, "it is itself again");
    }
}

#[tokio::test(start_paused = true)]
async fn forced_while_calls_run() {
    let client = Client::new(CircuitBreaker::new("forced").consecutive(1));
    client.peer.is(Mood::Slow);
    let call = client.call();
    let force = async {
        sleep(SECOND).await;
        client.breaker.force_open();
    };
    let (outcome, ()) = tokio::join!(call, force);
    outcome.expect("what runs goes on");
    assert_eq!(client.state(), State::ForcedOpen);
}

#[tokio::test(start_paused = true)]
async fn counts_and_times() {
    let client = Client::new(CircuitBreaker::new("counted").min_calls(4));
    client.calls(4, Mood::Well).await;
    client.calls(2, Mood::NotFound).await;
    advance(10 * SECOND).await;
    client.calls(10, Mood::Fails).await;
    let counted = client.breaker.snapshot().counted;
    assert_eq!((counted.successes, counted.failures, counted.ignored), (4, 4, 2));
    assert_eq!((counted.refused, counted.opened), (6, 1));
    assert_eq!(counted.failure_rate(), Some(0.5));
    assert_eq!(counted.failures_in_a_row, 4);
    assert_eq!((counted.in_state_for, counted.time_in.closed), (Duration::ZERO, 10 * SECOND));
    advance(10 * SECOND).await;
    let snapshot = client.breaker.snapshot();
    assert_eq!(snapshot.counted.in_state_for, 10 * SECOND);
    assert_eq!(snapshot.counted.time_in.open, 10 * SECOND);
    assert_eq!((snapshot.name, snapshot.key.as_deref()), ("counted", None));
    assert_eq!(&snapshot.settings, client.breaker.settings());
}

#[tokio::test(start_paused = true)]
async fn transitions_are_told_in_their_order() {
    let client = Client::new(CircuitBreaker::new("told").consecutive(1));
    let mut transitions = client.breaker.subscribe();
    // It is closed as it is, which is nothing to tell.
    client.breaker.reset();
    client.calls(1, Mood::Fails).await;
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Fails).await;
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Well).await;
    client.breaker.disable();
    let expected = [
        (State::Closed, State::Open, Cause::Consecutive),
        (State::Open, State::HalfOpen, Cause::OpenTimeOver),
        (State::HalfOpen, State::Open, Cause::ProbeFailed),
        (State::Open, State::HalfOpen, Cause::OpenTimeOver),
        (State::HalfOpen, State::Closed, Cause::ProbesSucceeded),
        (State::Closed, State::Disabled, Cause::ByHand),
    ];
    for expected in expected {
        let told = transitions.next().await.expect("there is one");
        assert_eq!((told.from, told.to, told.cause), expected);
        assert_eq!(told.open_for.is_some(), told.to == State::Open);
        assert_eq!(told.breaker, "told");
    }
    drop(client);
    assert_eq!(transitions.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn all_that_are_used_are_listed() {
    #[steadfast::circuit_breaker(open_for = "7s")]
    async fn listed() -> Result<u32, Trouble> {
        Ok(1)
    }
    let client = Client::new(CircuitBreaker::new("a client's"));
    let names = |name: &str| {
        let all = steadfast::circuit_breakers();
        all.into_iter().filter(|breaker| breaker.name().ends_with(name)).collect::<Vec<_>>()
    };
    assert!(names("::listed").is_empty(), "not called yet");
    listed().await.expect("it is well");
    client.call().await.expect("it is well");
    let [own] = &names("::listed")[..] else { panic!("one") };
    assert_eq!(own.name(), "behaviour::circuit_breaker::handle::listed");
    assert_eq!(own.settings().open_for, 7 * SECOND);
    own.force_open();
    listed().await.expect_err("an operator has opened it");
    assert_eq!(names("a client's").len(), 1);
    drop(client);
    assert_eq!(names("a client's").len(), 0, "gone with its client");
}

/// One breaker for all types that a function is used with.
#[tokio::test(start_paused = true)]
async fn generic_functions_have_one() {
    #[steadfast::circuit_breaker(consecutive = 2)]
    async fn generic<T>(value: Result<T, Trouble>) -> Result<T, Trouble> {
        value
    }
    generic::<u8>(Err(Trouble::FAILURE)).await.expect_err("it fails");
    generic::<String>(Err(Trouble::FAILURE)).await.expect_err("it fails");
    assert!(generic(Ok(1)).await.is_err_and(|error| error.is_open()));
}
