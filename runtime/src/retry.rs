//! What [`#[retry]`](macro@crate::retry) runs on: the policy, its waits, and the budget that keeps
//! retries from becoming a storm.
//!
//! # Why a budget is on by default
//!
//! Three attempts a call are three times the load, at the very moment when the peer can take less.
//! Waits and jitter spread that load, they do not shrink it. A [`RetryBudget`] does: it lets a
//! client add about 10 % to its own load and then hands out the original errors at once.
//!
//! # What stops a retry
//!
//! In this order: an error that is not worth repeating (see [`fault`](crate::fault)), the last
//! attempt, a hint of the peer above `cap`, an ambient [deadline](mod@crate::deadline) that ends before
//! the next attempt could start, an empty budget. In each case the caller gets the last original
//! outcome, unchanged, and [`telemetry`](crate::telemetry) says which it was.
//!
//! # Example: one budget for one dependency
//!
//! ```
//! use std::io;
//! use steadfast::retry::{self, RetryBudget};
//!
//! static STRIPE: RetryBudget = RetryBudget::new();
//!
//! #[steadfast::retry(max = 5, budget = STRIPE)]
//! async fn charge(cents: u64) -> io::Result<u64> {
//!     Ok(cents)
//! }
//! ```

pub use self::{
    budget::RetryBudget,
    policy::{Backoff, Jitter, Retry, Retrying},
};

pub(crate) mod attempts;
mod backoff;
pub(crate) mod budget;
pub(crate) mod fresh;
mod jitter;
pub(crate) mod pause;
mod policy;

#[doc(hidden)]
pub const __STEADFAST: () = ();
