//! A breaker for each key.

use super::*;

struct Hosts {
    breaker: CircuitBreaker,
    peer: Peer,
}

impl Hosts {
    #[steadfast::circuit_breaker(with = self.breaker, per = host)]
    async fn call(&self, host: u32) -> Result<u32, Trouble> {
        self.peer.answer().await
    }

    fn most(keys: u32) -> Self {
        Self::named("hosts", keys)
    }

    fn named(name: &'static str, keys: u32) -> Self {
        let breaker = CircuitBreaker::new(name).consecutive(2).max_keys(keys);
        Self { breaker, peer: Peer::new() }
    }

    async fn open(&self, host: u32) {
        self.peer.is(Mood::Fails);
        for _ in 0..2 {
            self.call(host).await.expect_err("it fails");
        }
        self.peer.is(Mood::Well);
    }

    async fn is_open(&self, host: u32) -> bool {
        self.call(host).await.is_err_and(|error| error.is_open())
    }
}

#[tokio::test(start_paused = true)]
async fn one_key_does_not_open_another() {
    let hosts = Hosts::most(100);
    hosts.open(7).await;
    for host in 0..10 {
        assert_eq!(hosts.is_open(host).await, host == 7);
    }
    assert_eq!(hosts.breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_function_may_have_its_own_by_any_expression() {
    #[steadfast::circuit_breaker(consecutive = 1, per = (tenant, host.len() % 2))]
    async fn own(tenant: &str, host: String) -> Result<(), Trouble> {
        if tenant == "down" { Err(Trouble::FAILURE) } else { Ok(()) }
    }
    own("down", "even".to_owned()).await.expect_err("it fails");
    assert!(own("down", "also".to_owned()).await.is_err_and(|error| error.is_open()));
    assert!(own("down", "odd".to_owned()).await.is_err_and(|error| !error.is_open()));
    own("up", "even".to_owned()).await.expect("it is well");
    let all = steadfast::circuit_breakers();
    let own = all.iter().filter(|breaker| breaker.name().ends_with("::own"));
    let mut keys: Vec<_> = own.map(|breaker| breaker.snapshot().key.expect("a key")).collect();
    keys.sort_unstable();
    let keys: Vec<_> = keys.iter().map(AsRef::as_ref).collect();
    assert_eq!(keys, [r#"("down", 0)"#, r#"("down", 1)"#, r#"("up", 0)"#]);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_allowed_and_never_an_open_one_goes() {
    let hosts = Hosts::named("fifty hosts", 50);
    hosts.open(0).await;
    hosts.open(1).await;
    for host in 2..5_000 {
        hosts.call(host).await.expect("it is well");
    }
    let all = steadfast::circuit_breakers();
    assert_eq!(all.iter().filter(|breaker| breaker.name() == "fifty hosts").count(), 50);
    assert!(hosts.is_open(0).await && hosts.is_open(1).await);
}

#[tokio::test(start_paused = true)]
async fn who_calls_stays() {
    let hosts = Hosts::most(10);
    hosts.peer.is(Mood::Well);
    for host in 0..1_000 {
        for regular in 0..5 {
            hosts.call(regular).await.expect("it is well");
        }
        hosts.call(1_000 + host).await.expect("it is well");
    }
    // A test beside this one that lists all breakers holds these for a moment: that may cost a regular its place.
    let calls =
        (0..5).map(|regular| hosts.breaker.per(&regular).snapshot().counted.calls_in_window);
    let calls: Vec<_> = calls.collect();
    assert!(calls.iter().sum::<u64>() >= 3_000, "{calls:?} of 1000 each");
}

#[tokio::test(start_paused = true)]
async fn with_all_open_new_keys_share_one() {
    let hosts = Hosts::most(3);
    for host in 0..3 {
        hosts.open(host).await;
    }
    hosts.call(3).await.expect("it is well");
    hosts.open(4).await;
    assert!(hosts.is_open(3).await, "it shares with 4");
    assert_eq!(hosts.breaker.state(), State::Open, "which is this one");
    assert!(hosts.is_open(0).await);
}

#[tokio::test(start_paused = true)]
async fn what_a_former_key_brings_does_not_count() {
    #[steadfast::deadline("5s")]
    async fn with_a_deadline(hosts: &Hosts, host: u32) -> Result<u32, Trouble> {
        hosts.call(host).await
    }
    let hosts = Hosts::most(1);
    hosts.peer.is(Mood::Hangs);
    let late = async {
        with_a_deadline(&hosts, 1).await.expect_err("it hangs");
        with_a_deadline(&hosts, 1).await.expect_err("it hangs, and takes the breaker back");
    };
    let meanwhile = async {
        sleep(SECOND).await;
        hosts.peer.is(Mood::Well);
        hosts.call(2).await.expect("it is well");
        hosts.peer.is(Mood::Hangs);
        sleep(5 * SECOND).await;
        hosts.peer.is(Mood::Well);
        hosts.call(2).await.expect("the breaker is its again");
    };
    tokio::join!(late, meanwhile);
    let counted = hosts.breaker.per(&2).snapshot().counted;
    assert_eq!((counted.state, counted.failures_in_window), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_handle_keeps_its_key() {
    let hosts = Hosts::most(2);
    let handle = hosts.breaker.per(&7);
    for host in 10..100 {
        hosts.call(host).await.expect("it is well");
    }
    handle.force_open();
    assert!(hosts.is_open(7).await);
    assert_eq!(handle.snapshot().key.as_deref(), Some("7"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads_and_more_keys_than_breakers() {
    use std::sync::Arc;

    let hosts = Arc::new(Hosts::most(20));
    let tasks: Vec<_> = (0..8)
        .map(|task: u32| {
            let hosts = Arc::clone(&hosts);
            tokio::spawn(async move {
                for n in 0..5_000_u32 {
                    hosts.call(n.wrapping_mul(task + 1) % 100).await.expect("it is well");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(hosts.peer.calls(), 40_000);
}

/// What an operator does to the breaker of all keys holds for each of them.
#[tokio::test(start_paused = true)]
async fn forced_for_all_keys() {
    let hosts = Hosts::most(10);
    hosts.open(7).await;
    hosts.breaker.force_open();
    for host in 0..10 {
        assert!(hosts.is_open(host).await);
    }
    hosts.breaker.disable();
    for host in 0..10 {
        assert!(!hosts.is_open(host).await);
    }
    hosts.breaker.reset();
    for host in 0..10 {
        assert_eq!(hosts.is_open(host).await, host == 7);
    }
}

#[tokio::test(start_paused = true)]
async fn a_keys_handle_knows_the_others() {
    let hosts = Hosts::most(10);
    hosts.breaker.per(&1).per(&2).force_open();
    assert!(hosts.is_open(2).await && !hosts.is_open(1).await);
    let mut transitions = hosts.breaker.subscribe();
    hosts.open(3).await;
    let told = transitions.next().await.expect("there is one");
    assert_eq!((told.key.as_deref(), told.to), (Some("3"), State::Open));
}

/// It starts anew in every respect: counts, budget, and who watches.
#[tokio::test(start_paused = true)]
async fn what_a_key_takes_over_is_as_new() {
    #[steadfast::retry(max = 2, base = "0s")]
    #[steadfast::circuit_breaker(with = hosts.breaker, per = host, when = any)]
    async fn call(hosts: &Hosts, host: u32) -> Result<u32, Trouble> {
        hosts.peer.answer().await
    }
    let breaker = CircuitBreaker::new("one").max_keys(1).min_calls(u32::MAX);
    let hosts = Hosts { breaker, peer: Peer::new() };
    hosts.peer.is(Mood::Fails);
    for _ in 0..20 {
        call(&hosts, 1).await.expect_err("it fails");
    }
    assert_eq!(hosts.peer.calls(), 32, "the budget is drained");
    let mut transitions = hosts.breaker.per(&1).subscribe();
    call(&hosts, 2).await.expect_err("it fails");
    assert_eq!(hosts.peer.calls(), 34, "a budget of its own");
    let snapshot = hosts.breaker.per(&2).snapshot();
    assert_eq!((snapshot.key.as_deref(), snapshot.counted.failures), (Some("2"), 2));
    assert_eq!((snapshot.counted.successes, snapshot.counted.refused), (0, 0));
    assert_eq!(transitions.next().await, None, "it is another's now");
}

/// Between two attempts a key's breaker may have gone to another one.
#[tokio::test(start_paused = true)]
async fn attempts_of_a_former_key_do_not_count() {
    #[steadfast::retry(max = 2, base = "1s", jitter = "none", budget = none)]
    #[steadfast::circuit_breaker(with = hosts.breaker, per = host)]
    async fn call(hosts: &Hosts, host: u32) -> Result<u32, Trouble> {
        hosts.peer.answer().await
    }
    let hosts = Hosts::most(1);
    hosts.peer.is(Mood::Fails);
    let (former, ()) = tokio::join!(call(&hosts, 1), async {
        sleep(SECOND / 2).await;
        hosts.peer.is(Mood::Well);
        hosts.call(2).await.expect("it is well");
        hosts.peer.is(Mood::Fails);
    });
    former.expect_err("it fails twice");
    let counted = hosts.breaker.per(&2).snapshot().counted;
    assert_eq!((counted.successes, counted.failures), (1, 0));
}

/// One key fails always, the other never, and both want the one breaker.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_that_meet_are_not_taken_for_each_other() {
    use std::sync::Arc;

    #[steadfast::circuit_breaker(with = *breaker, per = key)]
    async fn call(breaker: &CircuitBreaker, key: u32) -> Result<(), Trouble> {
        if key == 1 { Err(Trouble::FAILURE) } else { Ok(()) }
    }
    let breaker = Arc::new(CircuitBreaker::new("met").max_keys(1).min_calls(u32::MAX));
    let fail = |breaker: Arc<CircuitBreaker>| async move {
        for _ in 0..20_000 {
            let _ = call(&breaker, 1).await;
        }
    };
    let tasks = [(); 3].map(|()| tokio::spawn(fail(Arc::clone(&breaker))));
    for _ in 0..20_000 {
        call(&breaker, 2).await.expect("it is well");
        let snapshot = breaker.per(&2).snapshot();
        if snapshot.key.as_deref() == Some("2") {
            assert_eq!(snapshot.counted.failures_in_window, 0);
        }
    }
    for task in tasks {
        task.await.expect("no panic");
    }
}

/// A key is the user's, and so is what its `Debug` does.
mod keys_of_their_own_mind {
    use std::{
        fmt,
        hash::{Hash, Hasher},
        panic::{AssertUnwindSafe, catch_unwind},
    };

    use super::*;

    struct Looks(u32);

    impl Hash for Looks {
        fn hash<H: Hasher>(&self, state: &mut H) {
            let _ = steadfast::circuit_breakers();
            self.0.hash(state);
        }
    }

    impl fmt::Debug for Looks {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            assert_ne!(self.0, 13, "an unlucky number");
            write!(f, "{} of {}", self.0, steadfast::circuit_breakers().len())
        }
    }

    #[test]
    fn looks_at_the_breakers_or_panics() {
        let breaker = CircuitBreaker::new("looks").max_keys(2);
        breaker.per(&Looks(1)).force_open();
        let panics = catch_unwind(AssertUnwindSafe(|| drop(breaker.per(&Looks(13)))));
        assert!(panics.is_err());
        for key in 20..50 {
            assert_eq!(breaker.per(&Looks(key)).state(), State::Closed);
        }
        assert_eq!(breaker.per(&Looks(1)).state(), State::ForcedOpen);
    }

    #[test]
    fn is_told_of_without_its_quotes_and_not_in_full() {
        let breaker = CircuitBreaker::new("quoted");
        let key = |key: &str| breaker.per(key).snapshot().key.expect("a key").len();
        assert_eq!((key("host"), key("say \"hi\""), key("\"")), (4, 10, 2));
        assert!(key(&"x".repeat(1_000_000)) < 300);
        let most = CircuitBreaker::new("most").max_keys(u32::MAX);
        assert_eq!(most.per("host").state(), State::Closed);
    }
}
