//! Help for the tests of what you annotated.
//!
//! Time needs no help: every policy goes by tokio's clock, so `#[tokio::test(start_paused = true)]`
//! drives them all.

/// Starts the jitter of this thread anew, so that a test sees the same waits each time.
///
/// Works where the annotated calls run on the thread that called it, as in a `#[tokio::test]` of
/// the default, current-thread flavour.
///
/// # Example: the same waits twice
///
/// ```
/// use std::{io, time::Duration};
/// use tokio::time::Instant;
///
/// #[steadfast::retry(when = any)]
/// async fn fails() -> io::Result<()> {
///     Err(io::Error::other("no"))
/// }
///
/// async fn time_to_fail() -> Duration {
///     steadfast::testing::seed(7);
///     let start = Instant::now();
///     let _ = fails().await;
///     start.elapsed()
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// assert_eq!(time_to_fail().await, time_to_fail().await);
/// # }
/// ```
pub fn seed(seed: u64) {
    crate::retry::jitter::seed(seed);
}
