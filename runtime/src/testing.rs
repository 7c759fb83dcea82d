//! Help for the tests of what you annotated.
//!
//! Time needs no help: every policy goes by tokio's clock, so `#[tokio::test(start_paused = true)]`
//! drives them all. But tokio moves a paused clock on whenever all tasks wait, also for a real socket:
//! a test that talks to one cannot have it paused, or its deadlines pass at once.
//!
//! A budget is as old as the process, and so is shared by all its tests: one that is about failures
//! should [lift it](lift_budgets).
//!
//! ```toml
//! [dev-dependencies]
//! steadfast = { version = "0.1", features = ["testing"] }
//! tokio = { version = "1", features = ["macros", "rt", "test-util"] }
//! ```

use std::cell::Cell;

pub use self::contract::{PausedClock, StoreClock, store_contract};

mod contract;

thread_local! {
    static BUDGETS_LIFTED: Cell<bool> = const { Cell::new(false) };
}

/// Lets no budget refuse a retry on this thread, from now on.
///
/// For a test that counts the attempts of a call that fails: without it the outcome depends on how
/// many tests before it have used up the function's budget.
///
/// # Example: four attempts, each time
///
/// ```
/// use std::io;
///
/// #[steadfast::retry(max = 4, when = any)]
/// async fn fails(attempts: &mut u32) -> io::Result<()> {
///     *attempts += 1;
///     Err(io::Error::other("no"))
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// steadfast::testing::lift_budgets();
/// for _ in 0..100 {
///     let mut attempts = 0;
///     let _ = fails(&mut attempts).await;
///     assert_eq!(attempts, 4);
/// }
/// # }
/// ```
pub fn lift_budgets() {
    BUDGETS_LIFTED.set(true);
}

pub(crate) fn budgets_are_lifted() -> bool {
    BUDGETS_LIFTED.get()
}

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
    crate::random::seed(seed);
}
