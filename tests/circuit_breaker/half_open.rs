//! Probing, and how it ends.

use std::sync::{Arc, atomic::AtomicUsize};

use tokio::{
    sync::{Barrier, Semaphore},
    time::timeout,
};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_probe_decides() {
    let client = Client::new(CircuitBreaker::new("probe"));
    client.until_half_open().await;
    let before = client.peer.calls();
    client.calls(10, Mood::Fails).await;
    assert_eq!((client.state(), client.peer.calls()), (State::Open, before + 1));
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Well).await;
    assert_eq!(client.state(), State::Closed);
    let counted = client.breaker.snapshot().counted;
    assert_eq!(counted.calls_in_window, 0, "the window is fresh");
    client.calls(19, Mood::Fails).await;
    assert_eq!(client.state(), State::Closed, "and so takes twenty again");
}

#[tokio::test(start_paused = true)]
async fn all_probes_have_to_succeed() {
    let client = Client::new(CircuitBreaker::new("probes").probes(3));
    client.until_half_open().await;
    client.calls(2, Mood::Well).await;
    assert_eq!(client.state(), State::HalfOpen);
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open);
    client.until_its_time_is_over().await;
    client.calls(3, Mood::Well).await;
    assert_eq!(client.state(), State::Closed);
}

/// Each cycle a thousand tasks meet a breaker whose time is over, and no more run at once than may.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tasks_are_let_in_a_few_at_a_time() {
    const TASKS: usize = 1_000;
    const PROBES: u8 = 3;

    struct Shared {
        breaker: CircuitBreaker,
        start: Barrier,
        running: AtomicUsize,
        most: AtomicUsize,
        admitted: AtomicUsize,
        refused: AtomicUsize,
        go_on: Semaphore,
    }

    // What gives a probe its time, as the open time is none.
    #[steadfast::deadline("1h")]
    #[steadfast::circuit_breaker(with = shared.breaker)]
    async fn probe(shared: &Shared, cycle: usize) -> Result<(), Trouble> {
        let running = shared.running.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(running, Ordering::SeqCst);
        shared.admitted.fetch_add(1, Ordering::SeqCst);
        // Until everybody else has been refused.
        shared.go_on.acquire().await.expect("it is never closed").forget();
        shared.running.fetch_sub(1, Ordering::SeqCst);
        if cycle.is_multiple_of(2) { Err(Trouble::FAILURE) } else { Ok(()) }
    }

    let shared = Arc::new(Shared {
        breaker: CircuitBreaker::new("hammered")
            .probes(PROBES)
            .consecutive(1)
            .open_for(Duration::ZERO)
            // As long as a probe keeps its place, by its deadline.
            .max_open_for(Duration::from_secs(3_600)),
        start: Barrier::new(TASKS),
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        admitted: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        go_on: Semaphore::new(0),
    });
    for cycle in 0..100 {
        shared.breaker.reset();
        let fail = async || -> Result<(), Trouble> {
            #[steadfast::circuit_breaker(with = *breaker)]
            async fn fail(breaker: &CircuitBreaker) -> Result<(), Trouble> {
                Err(Trouble::FAILURE)
            }
            fail(&shared.breaker).await
        };
        fail().await.expect_err("it fails");
        assert_eq!(shared.breaker.state(), State::Open);
        for count in [&shared.running, &shared.most, &shared.admitted, &shared.refused] {
            count.store(0, Ordering::SeqCst);
        }
        let tasks = (0..TASKS).map(|_| {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                shared.start.wait().await;
                while probe(&shared, cycle).await.is_err_and(|error| error.is_open()) {
                    // Time is coarse: to a thread it may have been a moment too soon.
                    if shared.admitted.load(Ordering::SeqCst) < PROBES.into() {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    let refused = shared.refused.fetch_add(1, Ordering::SeqCst) + 1;
                    if refused == TASKS - usize::from(PROBES) {
                        shared.go_on.add_permits(PROBES.into());
                    }
                    break;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
        let [most, admitted] = [&shared.most, &shared.admitted].map(|n| n.load(Ordering::SeqCst));
        assert_eq!(
            (most, admitted),
            (usize::from(PROBES), usize::from(PROBES)),
            "in cycle {cycle}"
        );
        let expected = if cycle.is_multiple_of(2) { State::Open } else { State::Closed };
        assert_eq!(shared.breaker.state(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_gives_its_place_back() {
    let client = Client::new(CircuitBreaker::new("dropped"));
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    for _ in 0..1000 {
        let before = client.peer.calls();
        assert!(timeout(Duration::from_millis(1), client.call()).await.is_err());
        assert_eq!(client.peer.calls(), before + 1, "each is let in");
    }
    client.calls(1, Mood::Well).await;
    assert_eq!(client.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_never_was_polled_holds_no_place() {
    let client = Client::new(CircuitBreaker::new("unpolled"));
    client.until_half_open().await;
    let never = client.call();
    client.calls(1, Mood::Well).await;
    assert_eq!(client.state(), State::Closed);
    drop(never);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_loses_its_place() {
    let client = Client::new(CircuitBreaker::new("hangs"));
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    let mut hung = Box::pin(client.call());
    assert!(timeout(29 * SECOND, hung.as_mut()).await.is_err());
    client.peer.is(Mood::Well);
    assert!(client.call().await.is_err_and(|error| error.is_open()), "its place is held");
    advance(SECOND).await;
    client.call().await.expect("it has had its time");
    assert_eq!(client.state(), State::Closed);
    drop(hung);
    assert_eq!(client.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_gives_its_place_back_while_an_earlier_one_hangs() {
    let client = Client::new(CircuitBreaker::new("hangs too"));
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    let mut hung = Box::pin(client.call());
    assert!(timeout(30 * SECOND, hung.as_mut()).await.is_err());
    for _ in 0..10 {
        let before = client.peer.calls();
        assert!(timeout(Duration::from_millis(1), client.call()).await.is_err());
        assert_eq!(client.peer.calls(), before + 1, "each is let in");
    }
    drop(hung);
}

#[tokio::test(start_paused = true)]
async fn a_probe_has_as_long_as_its_deadline() {
    #[steadfast::deadline("2m")]
    async fn patient(client: &Client) -> Result<u32, Trouble> {
        client.call().await
    }
    let client = Client::new(CircuitBreaker::new("patient"));
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    let mut hung = Box::pin(patient(&client));
    assert!(timeout(119 * SECOND, hung.as_mut()).await.is_err());
    assert!(client.call().await.is_err_and(|error| error.is_open()), "its place is held");
    let error = hung.await.expect_err("it hangs");
    assert!(matches!(error, Trouble::Refused(Error::DeadlineExceeded { .. })));
    assert_eq!(client.state(), State::Open, "the probe has failed");
}

/// A success that takes longer than a probe keeps its place is one all the same.
#[tokio::test(start_paused = true)]
async fn slow_probes_close_it() {
    let client = Client::new(CircuitBreaker::new("slow").open_for(SECOND));
    client.until_half_open().await;
    client.peer.is(Mood::Slow);
    let mut calls = tokio::task::JoinSet::new();
    let client = Arc::new(client);
    for _ in 0..30 {
        let client = Arc::clone(&client);
        calls.spawn(async move { client.call().await });
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.state(), State::Closed);
}

/// Each hangs until its own deadline, below the breaker, which is longer than it keeps its place.
#[tokio::test(start_paused = true)]
async fn probes_that_hang_come_at_longer_and_longer_intervals() {
    #[steadfast::circuit_breaker(with = client.breaker)]
    #[steadfast::deadline("3s")]
    async fn limited(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    for has_deadline in [true, false] {
        let client = Arc::new(Client::new(CircuitBreaker::new("hang").open_for(SECOND)));
        client.until_half_open().await;
        client.peer.is(Mood::Hangs);
        let before = client.peer.calls();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..6_000 {
            let client = Arc::clone(&client);
            calls.spawn(async move {
                if has_deadline { limited(&client).await } else { client.call().await }
            });
            sleep(Duration::from_millis(100)).await;
        }
        // 1 + 2 + 4 + … + 256 s are nine probes in ten minutes.
        let probes = client.peer.calls() - before;
        assert!((8..=12).contains(&probes), "{probes} with a deadline: {has_deadline}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_deadline_keeps_a_place_longer_than_it_may_be_open() {
    #[steadfast::deadline("1d")]
    async fn patient(client: &Client) -> Result<u32, Trouble> {
        client.call().await
    }
    let client = Client::new(CircuitBreaker::new("patient").max_open_for(60 * SECOND));
    client.until_half_open().await;
    client.peer.is(Mood::Hangs);
    assert!(timeout(59 * SECOND, patient(&client)).await.is_err());
    let mut hung = Box::pin(patient(&client));
    assert!(timeout(61 * SECOND, hung.as_mut()).await.is_err());
    client.peer.is(Mood::Well);
    client.call().await.expect("another is let in");
}

#[tokio::test(start_paused = true)]
async fn no_open_time_is_no_reason_for_all_to_probe() {
    let never = CircuitBreaker::new("never").open_for(Duration::ZERO).max_open_for(Duration::ZERO);
    let client = Client::new(never.consecutive(1));
    client.calls(1, Mood::Fails).await;
    client.peer.is(Mood::Hangs);
    let mut calls = [(); 100].map(|()| Box::pin(client.call()));
    let refused = calls.iter_mut().filter_map(|call| futures_poll(call.as_mut())).count();
    assert_eq!((refused, client.peer.calls()), (99, 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_an_error_is_an_answer() {
    let client = Client::new(CircuitBreaker::new("not found"));
    client.until_half_open().await;
    client.calls(1, Mood::NotFound).await;
    assert_eq!(client.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_probe_opens_it_again() {
    let client = Arc::new(Client::new(CircuitBreaker::new("panics")));
    client.until_half_open().await;
    client.peer.is(Mood::Panics);
    let probe = Arc::clone(&client);
    let panics = tokio::spawn(async move { probe.call().await }).await;
    assert!(panics.is_err_and(|error| error.is_panic()));
    assert_eq!(client.state(), State::Open);
}

/// A call that began while it was closed comes in late: with a success while the probe fails, with a
/// failure after it has closed, and from one cycle into the next.
#[tokio::test(start_paused = true)]
async fn what_began_earlier_changes_nothing() {
    let client = Client::new(CircuitBreaker::new("late").consecutive(2));
    let begun = |mood| {
        client.peer.is(mood);
        let mut call = Box::pin(client.call());
        assert!(futures_poll(call.as_mut()).is_none(), "it is under way");
        call
    };
    // Three that answer well in two seconds, whatever happens meanwhile.
    let [first, second, third] = [(); 3].map(|()| begun(Mood::Slow));
    client.until_half_open().await;
    first.await.expect("it answers");
    assert_eq!(client.state(), State::Open, "a success of before does not close it");
    // The first cycle's probe…
    let probe = begun(Mood::Slow);
    assert_eq!(client.state(), State::HalfOpen);
    second.await.expect("it answers");
    assert_eq!(client.state(), State::HalfOpen, "nor does it while it is probed");
    advance(31 * SECOND).await;
    // …loses its place to another one, which fails; and then it succeeds.
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open);
    probe.await.expect("it answers");
    assert_eq!(client.state(), State::Open, "nor does the probe of an earlier round");
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Well).await;
    assert_eq!(client.state(), State::Closed);
    client.calls(1, Mood::Fails).await;
    third.await.expect("it answers");
    client.calls(1, Mood::Fails).await;
    assert_eq!(client.state(), State::Open, "nor does it come between failures in a row");
}

/// Polls a future once.
fn futures_poll<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(&mut future).poll(&mut context) {
        std::task::Poll::Ready(output) => Some(output),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test(start_paused = true)]
async fn open_times_grow_and_are_spread() {
    let times = async || {
        let client = Client::new(CircuitBreaker::new("grows").consecutive(1));
        let mut times = Vec::new();
        client.calls(1, Mood::Fails).await;
        for _ in 0..8 {
            times.push(client.breaker.snapshot().counted.retry_after.expect("it is open"));
            client.until_its_time_is_over().await;
            client.calls(1, Mood::Fails).await;
        }
        times
    };
    let means = [30, 60, 120, 240, 300, 300, 300, 300];
    let mut first = Vec::new();
    for _ in 0..100 {
        let times = times().await;
        first.push(times[0]);
        for (time, mean) in times.into_iter().zip(means) {
            let mean = mean * SECOND;
            assert!(mean * 9 / 10 <= time && time <= mean * 11 / 10, "{time:?} is not {mean:?}");
        }
    }
    first.sort_unstable();
    first.dedup();
    assert_eq!(first.len(), 100, "no two come back together");
    assert!(first[99] > first[0] + 5 * SECOND, "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_forgets_the_growth() {
    let client = Client::new(CircuitBreaker::new("forgets").consecutive(1));
    client.calls(1, Mood::Fails).await;
    for _ in 0..3 {
        client.until_its_time_is_over().await;
        client.calls(1, Mood::Fails).await;
    }
    client.until_its_time_is_over().await;
    client.calls(1, Mood::Well).await;
    client.calls(1, Mood::Fails).await;
    let left = client.breaker.snapshot().counted.retry_after.expect("it is open");
    assert!(left <= 33 * SECOND, "{left:?}");
}
