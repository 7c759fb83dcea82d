//! Annotate an async function, and it survives a failing world.
//!
//! ```
//! use steadfast::{Fault, deadline, retry};
//!
//! #[derive(Debug, thiserror::Error, Fault)]
//! enum ApiError {
//!     #[error("no such user")]
//!     #[fault(permanent)] // never retried
//!     NoSuchUser,
//!
//!     #[error(transparent)]
//!     #[fault(transparent)] // ask the inner error
//!     Io(#[from] std::io::Error),
//!
//!     #[error(transparent)]
//!     #[fault(transparent)]
//!     Refused(#[from] steadfast::Error), // such as: the deadline passed
//! }
//!
//! #[deadline("2s")] // all of it
//! #[retry(max = 4)] // at most four attempts, spread, within a budget
//! #[deadline("500ms")] // each attempt
//! async fn recommendations(user: u64) -> Result<Vec<String>, ApiError> {
//!     // …ask somebody who may be down…
//! #   let _ = user;
//!     Err(ApiError::NoSuchUser)
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! assert!(matches!(recommendations(7).await, Err(ApiError::NoSuchUser)));
//! # }
//! ```
//!
//! The macros rewrite the function when you compile, into calls on the small runtime in this crate.
//! The signature stays, the body stays, and what can be wrong about an annotation is a compile error
//! under the token that is wrong.
//!
//! # The attributes
//!
//! | attribute | what it does | module |
//! |---|---|---|
//! | [`#[retry]`](macro@retry) | runs it again when it failed in a way that may pass | [`retry`](mod@retry) |
//! | [`#[deadline]`](macro@deadline) | ends it in time, and tells all that it calls how much is left | [`deadline`](mod@deadline) |
//! | [`#[circuit_breaker]`](macro@circuit_breaker) | stops calling what fails, until it is back | [`circuit_breaker`](mod@circuit_breaker) |
//! | [`#[fallback]`](macro@fallback) | serves something else when all below has failed | [`fallback`](mod@fallback) |
//! | [`#[idempotent]`](macro@idempotent) | lets its effect happen once for each key, and gives duplicates the result | [`idempotent`](mod@idempotent) |
//! | [`#[derive(Fault)]`](derive@Fault) | says of each error what it means, for every policy that asks | [`fault`] |
//!
//! # How the order reads
//!
//! Written order is run order, outermost first: in the example above the first deadline holds all
//! attempts and the waits between them, the second one each attempt. An order that defeats a policy
//! does not compile.
//!
//! # Errors
//!
//! The function keeps its own error type. A policy that can refuse a call needs
//! `E: From<`[`steadfast::Error`](Error)`>`; `#[retry]` and `#[fallback]` need nothing. See [`Error`].
//!
//! # What it costs
//!
//! When nothing fails, a few nanoseconds a call and no allocation. A call that is ready at once draws no
//! random number, takes no lock, and reads no clock but, under a breaker, a coarse one; under a
//! deadline, one that waits has a timer.
//! The figures beside those of other crates are in `benches/README.md` of the repository.
//!
//! # Testing what you annotated
//!
//! Every policy goes by tokio's clock: `#[tokio::test(start_paused = true)]` makes waits,
//! deadlines and open times instant, as long as nothing waits for a real socket. The feature `testing`
//! seeds the jitter and lifts the budgets, which otherwise all tests of a process share, as they do
//! a function's breaker: [`reset`](circuit_breaker::CircuitBreaker::reset) it, or give each test its
//! own. So they do the default key store: give each test one of its own.
//!
//! # Cargo features
//!
//! None is on by default; each is named after what it connects to.
//!
//! * `http`: for http 1, [`Fault`] for `http::StatusCode`, and `fault::of_response`, which reads `Retry-After`.
//! * `reqwest`: for reqwest 0.13, [`Fault`] for `reqwest::Error`; brings `http`.
//! * `tonic`: for tonic 0.14, [`Fault`] for `tonic::Status`, with `RetryInfo` and pushback. Needs
//!   Rust 1.88.
//! * `sqlx`: for sqlx 0.9, [`Fault`] for `sqlx::Error`. Needs Rust 1.94.
//! * `testing`: `testing::seed`, `testing::lift_budgets`, and `testing::store_contract` for a key store.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc = include_str!("../docs/circuit_breaker.md")]
pub use steadfast_macros::circuit_breaker;
#[doc = include_str!("../docs/deadline.md")]
pub use steadfast_macros::deadline;
#[doc = include_str!("../docs/fallback.md")]
pub use steadfast_macros::fallback;
#[doc = include_str!("../docs/idempotent.md")]
pub use steadfast_macros::idempotent;
#[doc = include_str!("../docs/retry.md")]
pub use steadfast_macros::retry;

pub use self::{
    circuit_breaker::circuit_breakers, error::Error, fault::Fault, idempotent::set_default_store,
    outcome::Outcome,
};

pub mod circuit_breaker;
mod clock;
pub mod deadline;
mod error;
pub mod fallback;
pub mod fault;
pub mod idempotent;
mod locked;
mod outcome;
mod pinned;
#[doc(hidden)]
pub mod private;
mod random;
mod refusals;
pub mod retry;
mod site;
mod tally;
pub mod telemetry;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;

/// Compiles the README's example.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../../README.md")]
struct Readme;
