//! What an annotation costs a call that succeeds: bytes in its future, and not one allocation.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, Poll, Waker},
};

use allocation_counter::measure;
use tokio::{runtime::Builder, task::yield_now};

/// A client of half a kilobyte, as those of an HTTP library are.
struct Client([u64; 64]);

impl Client {
    async fn call(&self, name: &str) -> io::Result<u64> {
        let buffer = [0_u8; 64];
        yield_now().await;
        Ok(self.0[name.len()] + u64::from(buffer[0]))
    }
}

/// The same functions, bare and under each stack.
macro_rules! functions {
    ($module:ident $(#[$attribute:meta])*) => {
        mod $module {
            use super::*;

            $(#[$attribute])*
            pub(super) async fn ready() -> io::Result<u64> {
                Ok(1)
            }

            $(#[$attribute])*
            pub(super) async fn waits() -> io::Result<u64> {
                yield_now().await;
                Ok(1)
            }

            $(#[$attribute])*
            pub(super) async fn borrows(client: &Client, name: &str) -> io::Result<u64> {
                client.call(name).await
            }

            $(#[$attribute])*
            pub(super) async fn owns(client: Client, name: String) -> io::Result<u64> {
                client.call(&name).await
            }

            pub(super) fn sizes() -> [usize; 4] {
                let client = client();
                [
                    size_of_val(&ready()),
                    size_of_val(&waits()),
                    size_of_val(&borrows(&client, "name")),
                    size_of_val(&owns(super::client(), String::new())),
                ]
            }

            pub(super) fn allocations() -> [u64; 3] {
                let client = client();
                [counted(ready), counted(waits), counted(|| borrows(&client, "name"))]
            }
        }
    };
}

functions!(bare);
functions!(retried #[steadfast::retry]);
functions!(limited #[steadfast::deadline("2s")]);
functions!(both #[steadfast::deadline("2s")] #[steadfast::retry]);
functions!(three #[steadfast::deadline("2s")] #[steadfast::retry] #[steadfast::deadline("1s")]);

functions!(guarded #[steadfast::circuit_breaker]);
functions!(by_slowness #[steadfast::circuit_breaker(slow_after = "1m")]);
functions!(of_calls #[steadfast::circuit_breaker(window = 100)]);
functions!(keyed #[steadfast::circuit_breaker(per = 3 + 4)]);
functions!(fallen #[steadfast::fallback(expr = 7)]);
functions!(all
    #[steadfast::fallback(expr = 7)]
    #[steadfast::deadline("2s")]
    #[steadfast::retry]
    #[steadfast::circuit_breaker]
    #[steadfast::deadline("1s")]
);

functions!(kept #[steadfast::idempotent(key = fresh(), fresh_key)]);

/// Another one in each call.
fn fresh() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

const fn client() -> Client {
    Client([0; 64])
}

/// The allocations of a call, after a first one that may set up what lives as long as the program.
fn counted<F: Future<Output = io::Result<u64>>>(call: impl Fn() -> F) -> u64 {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let finish = || {
        let mut future = pin!(call());
        let mut context = Context::from_waker(Waker::noop());
        while !matches!(future.as_mut().poll(&mut context), Poll::Ready(Ok(_))) {}
    };
    finish();
    measure(finish).count_total
}

/// Asserts that a stack adds no more bytes than this to any of the functions.
fn assert_adds(most: usize, stack: [usize; 4]) {
    let bare = bare::sizes();
    let within = stack.iter().zip(bare).all(|(annotated, bare)| *annotated <= bare + most);
    assert!(within, "{bare:?} bytes have become {stack:?}, more than {most} more");
}

#[test]
fn a_retry_adds_its_count_of_attempts() {
    assert_adds(72, retried::sizes());
}

#[test]
fn a_deadline_adds_its_timer() {
    assert_adds(152, limited::sizes());
}

#[test]
fn both_add_at_most_two_hundred_bytes() {
    assert_adds(200, both::sizes());
}

#[test]
fn a_deadline_for_each_attempt_adds_another_timer() {
    assert_adds(320, three::sizes());
}

#[test]
fn a_breaker_adds_its_permit() {
    assert_adds(80, guarded::sizes());
    assert_adds(80, by_slowness::sizes());
    assert_adds(80, of_calls::sizes());
}

/// Ten thousand keys, the default bound, are twenty megabytes.
#[test]
fn a_breaker_takes_two_kilobytes_and_so_does_each_key() {
    use steadfast::circuit_breaker::{CircuitBreaker, State};

    let hosts = CircuitBreaker::new("hosts").max_keys(1_000);
    let one = measure(|| assert_eq!(hosts.state(), State::Closed));
    assert!(one.bytes_total <= 2_000, "{} bytes", one.bytes_total);
    let keys = measure(|| (0..1_000).for_each(|key| drop(hosts.per(&key))));
    assert!(keys.bytes_total <= 2_000 * 1_000, "{} bytes", keys.bytes_total);
}

#[test]
fn a_key_adds_where_its_breaker_is() {
    assert_adds(104, keyed::sizes());
}

#[test]
fn a_fallback_adds_the_error_that_it_may_be_asked_about() {
    assert_adds(40, fallen::sizes());
}

#[test]
fn all_four_add_up() {
    assert_adds(416, all::sizes());
}

/// The key, the run, its lease and the renewal of that; the waiting is in a box.
#[test]
fn a_key_adds_its_run() {
    assert_adds(1_100, kept::sizes());
}

/// The key and its record in the store, and the run and its result.
#[test]
fn a_call_with_a_new_key_allocates_a_few_times() {
    let allocations = kept::allocations();
    // One more where the heap of what expires grows, and one where the map does.
    assert!(allocations.iter().all(|&count| count <= 7), "{allocations:?}");
}

/// An error that carries a refusal is dropped with each outcome, also with one that is none.
#[test]
fn a_refusal_holds_nothing_to_drop() {
    assert!(!std::mem::needs_drop::<steadfast::Error>());
}

/// An open breaker spares the caller too.
#[test]
fn a_call_that_is_refused_allocates_nothing() {
    use steadfast::{Error, circuit_breaker::CircuitBreaker};

    static OPEN: CircuitBreaker = CircuitBreaker::new("open");

    #[steadfast::circuit_breaker(with = OPEN, when = any)]
    async fn refused() -> Result<u64, Error> {
        Ok(1)
    }
    let finish = || {
        let mut future = pin!(refused());
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(Error::CircuitOpen { .. }))));
    };
    OPEN.force_open();
    finish();
    assert_eq!(measure(finish).count_total, 0);
}

#[test]
fn a_call_that_succeeds_allocates_nothing() {
    assert_eq!(bare::allocations(), [0; 3]);
    assert_eq!(retried::allocations(), [0; 3]);
    assert_eq!(limited::allocations(), [0; 3]);
    assert_eq!(both::allocations(), [0; 3]);
    assert_eq!(three::allocations(), [0; 3]);
    assert_eq!(guarded::allocations(), [0; 3]);
    assert_eq!(by_slowness::allocations(), [0; 3]);
    assert_eq!(of_calls::allocations(), [0; 3]);
    assert_eq!(keyed::allocations(), [0; 3]);
    assert_eq!(fallen::allocations(), [0; 3]);
    assert_eq!(all::allocations(), [0; 3]);
}
