//! What [`#[circuit_breaker]`](macro@crate::circuit_breaker) runs on.

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
mod keys;
mod machine;
mod registry;
mod settings;
mod snapshot;
mod sync;
mod transitions;
mod window;

#[doc(hidden)]
pub const __STEADFAST: () = ();
