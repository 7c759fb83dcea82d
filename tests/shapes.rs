//! Every shape of function keeps working under the attributes, and keeps being `Send`.

use std::{
    future::Future,
    sync::atomic::{AtomicU32, Ordering},
};

use steadfast::Fault;

mod arguments;
mod attributes;
mod bodies;
mod futures;
mod generics;
mod macros;
mod methods;

#[derive(Debug, PartialEq, Eq, thiserror::Error, Fault)]
enum Trouble {
    #[error("busy")]
    #[fault(transient)]
    Busy,
    #[error("refused")]
    #[fault(ambiguous)]
    Refused,
}

impl From<steadfast::Error> for Trouble {
    fn from(_: steadfast::Error) -> Self {
        Self::Refused
    }
}

type Answer<T> = Result<T, Trouble>;

/// A peer that fails twice.
#[derive(Debug, Default)]
struct Peer {
    calls: AtomicU32,
}

impl Peer {
    /// The number of the call, from the third.
    fn call(&self) -> Answer<u32> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        if call < 3 { Err(Trouble::Busy) } else { Ok(call) }
    }
}

/// Awaits a future that must be `Send`, whatever it holds.
async fn sent<F: Future + Send>(future: F) -> F::Output {
    future.await
}
