//! What is told, and to whom.

use std::{
    cell::RefCell,
    fmt::{Debug, Write},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use steadfast::telemetry::{self, Event, StopCause};
use tracing::{
    Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The `tracing` events of this crate, a line each, kept by the thread that raised them.
///
/// One for the whole process: `tracing` remembers for each event whether anybody listens, and tests
/// on other threads would have it remember that nobody does.
struct Lines;

thread_local!(static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });

fn lines() -> Vec<String> {
    LINES.take()
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "steadfast" && *metadata.level() <= Level::DEBUG
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);
        impl Visit for Line {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                write!(self.0, " {field}={value:?}").expect("a string takes all");
            }
        }
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        LINES.with_borrow_mut(|lines| lines.push(line.0));
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[steadfast::retry(max = 2, when = |e| e.kind() == kind, jitter = "none")]
async fn fails(failures: &mut u32, kind: io::ErrorKind) -> io::Result<()> {
    if *failures == 0 {
        return Ok(());
    }
    *failures -= 1;
    Err(io::ErrorKind::Other.into())
}

#[steadfast::deadline("1s")]
async fn hangs() -> io::Result<()> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn each_event_has_its_line() {
    tracing::subscriber::set_global_default(Lines).expect("no other is set");

    let name = "function=\"behaviour::telemetry::fails\" policy=\"retry\"";
    let scheduled = format!(
        "DEBUG message=attempt failed, will retry {name} outcome=\"transient\" attempt=1 wait_ms=100"
    );
    fails(&mut 0, io::ErrorKind::Other).await.expect("at once");
    assert!(lines().is_empty(), "nothing failed, nothing is told");

    fails(&mut 1, io::ErrorKind::Other).await.expect("the second time");
    let recovered =
        format!("DEBUG message=succeeded after retries {name} outcome=\"recovered\" attempts=2");
    assert_eq!(lines(), [scheduled.clone(), recovered]);

    fails(&mut 9, io::ErrorKind::Other).await.expect_err("it fails");
    let stopped = format!("WARN message=gave up {name} outcome=\"exhausted\" attempts=2");
    assert_eq!(lines(), [scheduled, stopped]);

    fails(&mut 9, io::ErrorKind::NotFound).await.expect_err("it fails");
    let stopped = format!("DEBUG message=gave up {name} outcome=\"permanent\" attempts=1");
    assert_eq!(lines(), [stopped]);

    hangs().await.expect_err("it hangs");
    let [line] = &lines()[..] else { panic!("one line") };
    let name = "function=\"behaviour::telemetry::hangs\" policy=\"deadline\"";
    assert!(
        line.starts_with(&format!(
            "DEBUG message=deadline exceeded {name} outcome=\"cut_off\" limit_ms=1000 late_ms="
        )),
        "{line}"
    );

    breaker_and_fallback_have_theirs().await;
    idempotent_has_its_own().await;
}

#[steadfast::fallback(expr = 7)]
#[steadfast::circuit_breaker(consecutive = 1, slow_after = "1s", open_for = "10s")]
async fn guarded(slow: bool) -> io::Result<u8> {
    if slow {
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Called by the test that has set the subscriber.
async fn breaker_and_fallback_have_theirs() {
    let function = "function=\"behaviour::telemetry::guarded\"";
    let breaker = "breaker=\"behaviour::telemetry::guarded\"";
    let policy = "policy=\"circuit_breaker\"";
    let served = |trigger| {
        format!(
            "DEBUG message=fallback served {function} policy=\"fallback\" outcome=\"served\" \
             tier=\"expr\" trigger=\"{trigger}\""
        )
    };
    guarded(true).await.expect("the fallback");
    let [opened, slow, fell_back] = &lines()[..] else { panic!("three lines") };
    assert!(slow.starts_with(&format!(
        "DEBUG message=slow call {function} {policy} outcome=\"slow\" {breaker} took_ms=200"
    )));
    assert!(opened.starts_with(&format!(
        "WARN message=circuit breaker opened {breaker} {policy} outcome=\"open\" from=\"closed\" \
         cause=\"consecutive\" open_for_ms="
    )));
    assert_eq!(*fell_back, served("failed"));
    guarded(false).await.expect("the fallback");
    let [refused, fell_back] = &lines()[..] else { panic!("two lines") };
    assert!(refused.starts_with(&format!(
        "DEBUG message=circuit breaker is open {function} {policy} outcome=\"refused\" {breaker} \
         retry_after_ms="
    )));
    assert_eq!(*fell_back, served("refused"));
    tokio::time::sleep(Duration::from_secs(12)).await;
    guarded(false).await.expect("the fallback");
    assert_eq!(
        lines()[0],
        format!(
            "INFO message=circuit breaker changed {breaker} {policy} outcome=\"half_open\" \
             from=\"open\" cause=\"open_time_over\""
        )
    );
}

#[steadfast::idempotent(key = id, fingerprint = print, max_interruptions = 2)]
async fn once(id: u64, print: u64, hangs: bool) -> Result<u64, steadfast::Error> {
    if hangs {
        std::future::pending::<()>().await;
    }
    Ok(id)
}

/// Called by the test that has set the subscriber.
async fn idempotent_has_its_own() {
    let told = |level, message, outcome| {
        format!(
            "{level} message={message} function=\"behaviour::telemetry::once\" policy=\"idempotent\" \
             outcome=\"{outcome}\" store=\"memory\""
        )
    };
    let cut_off = Duration::from_secs(1);
    tokio::time::timeout(cut_off, once(1, 0, true)).await.expect_err("it hangs");
    let interrupted = told("WARN", "cut off, its effect may have happened", "interrupted");
    let key = "key=behaviour::telemetry::once(1)";
    assert_eq!(lines(), [format!("{interrupted} {key} cause=\"dropped\"")]);
    once(1, 0, false).await.expect("it runs again");
    let repeat = told("WARN", "runs again after it was cut off", "effect_may_repeat");
    assert_eq!(lines(), [format!("{repeat} {key} interruptions=1")]);
    once(1, 0, false).await.expect("it is replayed");
    assert_eq!(lines(), [told("DEBUG", "replayed", "replayed")]);
    once(1, 1, false).await.expect_err("it is another");
    assert_eq!(lines(), [format!("{} {key}", told("WARN", "refused by its key", "mismatch"))]);
    let (first, second) =
        tokio::join!(tokio::time::timeout(5 * cut_off, once(2, 0, true)), once(2, 0, false));
    assert!(first.is_err() && second.is_err());
    assert_eq!(lines()[0], told("DEBUG", "refused by its key", "in_progress"));
}

#[tokio::test(start_paused = true)]
async fn every_observer_is_told() {
    #[steadfast::retry(max = 5, when = any, jitter = "none", base = "600ms")]
    async fn observed() -> io::Result<()> {
        Err(io::ErrorKind::Other.into())
    }
    #[steadfast::deadline("1s")]
    async fn caller() -> io::Result<()> {
        observed().await
    }
    let seen: [Arc<Mutex<Vec<StopCause>>>; 2] = Default::default();
    for seen in seen.clone() {
        telemetry::observe(move |event| {
            if let Event::RetryStopped { function, cause, .. } = *event {
                // Other tests of this process are observed too.
                if function.ends_with("::observed") {
                    seen.lock().expect("no panic").push(cause);
                }
            }
        });
    }
    let start = tokio::time::Instant::now();
    caller().await.expect_err("it fails");
    assert_eq!(start.elapsed(), Duration::from_millis(600));
    for seen in seen {
        assert_eq!(*seen.lock().expect("no panic"), [StopCause::DeadlineTooNear]);
    }
}

/// Such as one that indexes out of bounds, while it is told of a breaker that opens.
#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_no_call() {
    #[steadfast::circuit_breaker(consecutive = 1)]
    async fn panics() -> io::Result<()> {
        panic!("the body");
    }
    telemetry::observe(|event| {
        if let Event::CircuitChanged { breaker, .. } = event {
            assert!(!breaker.ends_with("::panics"), "the observer");
        }
    });
    let outcome = tokio::spawn(panics()).await;
    assert!(outcome.is_err_and(|error| error.is_panic()));
    let error = panics().await.expect_err("it is open");
    assert_eq!(error.kind(), io::ErrorKind::Other);
}
