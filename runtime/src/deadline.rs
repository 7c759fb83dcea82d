//! What [`#[deadline]`](macro@crate::deadline) runs on: the deadline that a call inherits, and
//! hands on to what it calls.
//!
//! The ambient deadline lives with the future: it is in force while that future is polled, so it
//! crosses `.await` and nested calls, `join!` and `select!`. It does not cross
//! [`tokio::spawn`]: wrap the spawned future in [`carry`].
//!
//! # When the clock starts
//!
//! When the call first waits, or when something asks for [`remaining`] time, whichever is first.
//! A call that is ready at once therefore reads no clock. What a body computes before its first
//! `.await` is not counted; no deadline could cut it off there anyway.
//!
//! # Example: what is left for the next call
//!
//! ```
//! use std::time::Duration;
//! use steadfast::deadline::{self, remaining};
//!
//! #[steadfast::deadline("2s")]
//! async fn outer() -> Result<Option<Duration>, steadfast::Error> {
//!     inner().await
//! }
//!
//! #[steadfast::deadline("10s")]
//! async fn inner() -> Result<Option<Duration>, steadfast::Error> {
//!     Ok(remaining())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), steadfast::Error> {
//! assert!(outer().await? <= Some(Duration::from_secs(2)));
//! assert_eq!(remaining(), None);
//! # Ok(())
//! # }
//! ```

pub(crate) use self::ambient::Cutoff;
pub use self::{
    ambient::remaining,
    carry::{Carried, carry},
    policy::Deadline,
};

mod ambient;
mod carry;
mod policy;
pub(crate) mod within;

#[doc(hidden)]
pub const __STEADFAST: () = ();
