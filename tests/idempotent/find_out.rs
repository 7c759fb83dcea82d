//! `on_interrupted = path`: somebody is asked what came of an earlier run.

use std::{
    future::pending,
    sync::atomic::{AtomicU32, Ordering},
};

use steadfast::idempotent::{Truth, current, marked};
use tokio::time::{sleep, timeout};

use super::{Failure, SECOND, in_memory, observed, refused};

in_memory!(STORE);

/// What the provider knows, and how often it was asked.
struct Provider {
    knows: Result<Truth<String>, Failure>,
    asked: AtomicU32,
    charged: AtomicU32,
}

#[steadfast::idempotent(key = id, store = STORE, on_interrupted = find_charge)]
async fn find_out_charge(
    provider: &mut Provider,
    id: &str,
    hangs: bool,
) -> Result<String, Failure> {
    provider.charged.fetch_add(1, Ordering::Relaxed);
    if hangs {
        pending::<()>().await;
    }
    Ok(format!("new {id}"))
}

async fn find_charge(
    provider: &mut Provider,
    id: &str,
    hangs: bool,
) -> Result<Truth<String>, Failure> {
    provider.asked.fetch_add(1, Ordering::Relaxed);
    assert!(!hangs && current().interrupted_before() && !id.is_empty());
    sleep(100 * SECOND).await; // for longer than a lease
    provider.knows.clone()
}

async fn after_an_interruption(
    id: &str,
    knows: Result<Truth<String>, Failure>,
) -> (Provider, Result<String, Failure>) {
    let mut provider = Provider { knows, asked: AtomicU32::new(0), charged: AtomicU32::new(0) };
    let hangs = find_out_charge(&mut provider, id, true);
    timeout(SECOND, hangs).await.expect_err("it hangs");
    let outcome = find_out_charge(&mut provider, id, false).await;
    assert_eq!(provider.asked.load(Ordering::Relaxed), 1);
    (provider, outcome)
}

#[tokio::test(start_paused = true)]
async fn what_happened_is_kept_and_not_repeated() {
    let knows = Ok(Truth::Happened("found".to_owned()));
    let asked = marked(after_an_interruption("happened", knows)).await;
    let ((mut provider, outcome), replayed) = asked;
    assert_eq!((outcome, replayed), (Ok("found".to_owned()), Some(true)));
    let again = find_out_charge(&mut provider, "happened", false).await;
    assert_eq!(again, Ok("found".to_owned()));
    assert_eq!((provider.asked.into_inner(), provider.charged.into_inner()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_did_not_happen_runs() {
    let (mut provider, outcome) = after_an_interruption("not", Ok(Truth::DidNotHappen)).await;
    assert_eq!(outcome, Ok("new not".to_owned()));
    let again = find_out_charge(&mut provider, "not", false).await;
    assert_eq!(again, Ok("new not".to_owned()));
    assert_eq!((provider.asked.into_inner(), provider.charged.into_inner()), (1, 2));
}

/// And is asked for each time, however often: that nobody knows is no interruption.
#[tokio::test(start_paused = true)]
async fn what_nobody_knows_never_runs() {
    let events = observed("::find_out_charge");
    let (mut provider, outcome) = after_an_interruption("unknown", Ok(Truth::Unknown)).await;
    assert_eq!(outcome, refused("Interrupted"));
    for _ in 0..10 {
        let again = find_out_charge(&mut provider, "unknown", false).await;
        assert_eq!(again, refused("Interrupted"));
    }
    provider.knows = Err(Failure::Busy);
    let again = find_out_charge(&mut provider, "unknown", false).await;
    assert_eq!(again, Err(Failure::Busy));
    provider.knows = Ok(Truth::Happened("found".to_owned()));
    let again = find_out_charge(&mut provider, "unknown", false).await;
    assert_eq!(again, Ok("found".to_owned()));
    assert_eq!((provider.asked.into_inner(), provider.charged.into_inner()), (13, 1));
    assert!(events.try_iter().any(|event| event == "refused interrupted"));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_while_it_is_asked_leaves_it_as_it_was() {
    let knows = Ok(Truth::Happened("found".to_owned()));
    let mut provider = Provider { knows, asked: AtomicU32::new(0), charged: AtomicU32::new(0) };
    let hangs = find_out_charge(&mut provider, "left", true);
    timeout(SECOND, hangs).await.expect_err("it hangs");
    for _ in 0..10 {
        let asks = find_out_charge(&mut provider, "left", false);
        timeout(SECOND, asks).await.expect_err("it takes long");
    }
    let found = STORE.interrupted(None, 100).await.expect("memory answers");
    let left = found.iter().find(|found| found.key.to_string().contains("\"left\""));
    assert_eq!(left.expect("it is listed").record.interruptions, 1);
    let again = find_out_charge(&mut provider, "left", false).await;
    assert_eq!(again, Ok("found".to_owned()));
    assert_eq!(provider.charged.into_inner(), 1);
}
