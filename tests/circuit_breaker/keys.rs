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
    for regular in 0..5 {
        let counted = hosts.breaker.per(&regular).snapshot().counted;
        assert!(counted.calls_in_window >= 1_000, "{counted:?}");
    }
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
