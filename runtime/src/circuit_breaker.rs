//! What [`#[circuit_breaker]`](macro@crate::circuit_breaker) runs on: the breakers, to declare, to
//! look at and to force.
//!
//! # How it works
//!
//! A breaker's state is one word. Whoever changes it takes a lock, so that every transition is one
//! step; whoever only reads it takes none: a call that is admitted while closed, one that succeeds,
//! and one that is refused. The word has a generation, which each transition moves on, and every call
//! carries the one that it was admitted in: an outcome of an earlier one changes nothing.
//!
//! Successes are counted apart, each thread on a cache line of its own. The window knows what that
//! count was when its parts began, and has the failures behind the lock; so a success costs an
//! addition, and every failure is judged by exact numbers.
//!
//! The scheme is that of Michael Nygard's "Release It!" (2007), with a window that slides as
//! resilience4j's does.
//!
//! # Example: a page for the operators
//!
//! ```
//! fn page() -> String {
//!     let mut page = String::new();
//!     for breaker in steadfast::circuit_breakers() {
//!         let snapshot = breaker.snapshot();
//!         let (name, counted) = (snapshot.name, snapshot.counted);
//!         let key = snapshot.key.as_deref().unwrap_or_default();
//!         page += &format!("{name} {key} {} {} refused\n", counted.state, counted.refused);
//!     }
//!     page
//! }
//! assert!(page().is_empty(), "none has been used");
//! ```

pub use self::{
    breaker::CircuitBreaker,
    registry::circuit_breakers,
    settings::{Settings, Window},
    snapshot::{Cause, Counted, Snapshot, State, TimeIn},
    transitions::{Transition, Transitions},
};

mod breaker;
mod core;
pub(crate) mod guarded;
mod handle;
mod keys;
mod ledger;
mod machine;
mod registry;
mod rules;
mod settings;
mod snapshot;
mod sync;
mod transitions;
mod window;
mod word;

#[doc(hidden)]
pub const __STEADFAST: () = ();
