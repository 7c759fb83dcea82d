//! `#[circuit_breaker]` on a paused clock.

use std::{
    future::pending,
    sync::atomic::{AtomicU8, AtomicU32, Ordering},
    time::Duration,
};

use steadfast::{
    Error, Fault,
    circuit_breaker::{CircuitBreaker, State},
    fault::Class,
};
use tokio::time::{advance, sleep};

mod dance;
mod half_open;
mod handle;
mod keys;
mod stack;
mod verdict;
mod window;

const SECOND: Duration = Duration::from_secs(1);

/// An error that means what it holds, or a refusal.
#[derive(Clone, Debug, thiserror::Error)]
enum Trouble {
    #[error("{0:?}")]
    Is(Class),
    #[error(transparent)]
    Refused(#[from] Error),
}

impl Fault for Trouble {
    fn class(&self) -> Class {
        match self {
            Self::Is(class) => *class,
            Self::Refused(refusal) => refusal.class(),
        }
    }
}

impl Trouble {
    const FAILURE: Self = Self::Is(Class::Transient);

    fn is_open(&self) -> bool {
        matches!(self, Self::Refused(Error::CircuitOpen { .. }))
    }
}

/// A dependency that does as it is told, and counts the calls that reach it.
struct Peer {
    mood: AtomicU8,
    calls: AtomicU32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
enum Mood {
    Well,
    Fails,
    /// An answer that says nothing against the peer.
    NotFound,
    Hangs,
    Panics,
    /// Answers after two seconds.
    Slow,
}

impl Peer {
    const fn new() -> Self {
        Self { mood: AtomicU8::new(Mood::Well as u8), calls: AtomicU32::new(0) }
    }

    fn is(&self, mood: Mood) -> &Self {
        self.mood.store(mood as u8, Ordering::Relaxed);
        self
    }

    fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn answer(&self) -> Result<u32, Trouble> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let mood = self.mood.load(Ordering::Relaxed);
        match mood {
            _ if mood == Mood::Fails as u8 => Err(Trouble::FAILURE),
            _ if mood == Mood::NotFound as u8 => Err(Trouble::Is(Class::Permanent)),
            _ if mood == Mood::Hangs as u8 => pending().await,
            _ if mood == Mood::Panics as u8 => panic!("as told"),
            _ if mood == Mood::Slow as u8 => {
                sleep(2 * SECOND).await;
                Ok(calls)
            }
            _ => Ok(calls),
        }
    }
}

/// A peer and the breaker before it.
struct Client {
    breaker: CircuitBreaker,
    peer: Peer,
}

impl Client {
    const fn new(breaker: CircuitBreaker) -> Self {
        Self { breaker, peer: Peer::new() }
    }

    #[steadfast::circuit_breaker(with = self.breaker)]
    async fn call(&self) -> Result<u32, Trouble> {
        self.peer.answer().await
    }

    async fn calls(&self, times: u32, mood: Mood) {
        self.peer.is(mood);
        for _ in 0..times {
            let _ = self.call().await;
        }
    }

    fn state(&self) -> State {
        self.breaker.state()
    }

    /// Opens it, and waits until it can be probed.
    async fn until_half_open(&self) {
        self.calls(1000, Mood::Fails).await;
        assert_eq!(self.state(), State::Open);
        self.until_its_time_is_over().await;
    }

    async fn until_its_time_is_over(&self) {
        let left = self.breaker.snapshot().counted.retry_after.expect("it is open");
        advance(left).await;
    }
}
