//! `#[derive(Fault)]`: what each mark says.

use std::{io, sync::Arc, time::Duration};

use steadfast::{Fault, fault::Class};

const WAIT: Duration = Duration::from_secs(3);

#[derive(Debug, Fault)]
#[expect(dead_code, reason = "what a variant holds beside its hint is its own matter")]
enum Every<T>
where
    T: Send,
{
    #[fault(transient)]
    Unit,
    #[fault(permanent)]
    Tuple(u8, T),
    #[fault(ambiguous)]
    Struct { field: u8 },
    #[fault(throttled)]
    Throttled,
    #[fault(throttled = retry_after)]
    ThrottledFor { retry_after: Duration },
    #[fault(throttled = 1)]
    PerhapsThrottledFor(u8, Option<Duration>),
    #[fault(transparent)]
    Io(io::Error),
    #[fault(transparent)]
    WithSource { source: Arc<Outer>, place: u8 },
}

#[derive(Debug, Fault)]
#[fault(transparent)]
struct Outer(Inner);

#[derive(Debug, Fault)]
#[fault(throttled = retry_after, crate = ::steadfast)]
struct Inner {
    retry_after: Option<Duration>,
}

#[derive(Debug, Fault)]
enum Never {}

#[test]
fn by_mark() {
    let source = Arc::new(Outer(Inner { retry_after: Some(WAIT) }));
    let asked = Class::Throttled { retry_after: Some(WAIT) };
    for (error, class) in [
        (Every::Unit, Class::Transient),
        (Every::Tuple(1, "x"), Class::Permanent),
        (Every::Struct { field: 1 }, Class::Ambiguous),
        (Every::Throttled, Class::Throttled { retry_after: None }),
        (Every::ThrottledFor { retry_after: WAIT }, asked),
        (Every::PerhapsThrottledFor(1, Some(WAIT)), asked),
        (Every::PerhapsThrottledFor(1, None), Class::Throttled { retry_after: None }),
        (Every::Io(io::ErrorKind::ConnectionReset.into()), Class::Ambiguous),
        (Every::WithSource { source, place: 1 }, asked),
    ] {
        assert_eq!(error.class(), class, "{error:?}");
    }
    assert!(None::<Never>.is_none_or(|never| never.class() == Class::Permanent));
}

#[test]
fn refusals() {
    fn refusal(started: bool) -> steadfast::Error {
        #[steadfast::deadline("1s")]
        async fn hangs() -> Result<(), steadfast::Error> {
            std::future::pending().await
        }
        #[steadfast::deadline(Duration::ZERO)]
        async fn refused() -> Result<(), steadfast::Error> {
            Ok(())
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let call = async { if started { hangs().await } else { refused().await } };
        runtime.block_on(call).expect_err("it is refused")
    }
    assert_eq!(refusal(true).class(), Class::Ambiguous);
    assert_eq!(refusal(false).class(), Class::Ambiguous);
    assert_eq!((refusal(true).http_status(), refusal(true).grpc_code()), (504, 4));
    let text = |started| refusal(started).to_string();
    assert!(text(true).ends_with("::hangs` was cut off: its deadline of 1s has passed"));
    assert!(text(false).ends_with("::refused` was not started: its deadline of 0ns has passed"));
    assert_eq!(io::Error::from(refusal(true)).kind(), io::ErrorKind::TimedOut);
}
