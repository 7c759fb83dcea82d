//! The same call made with other crates, each as its own documentation writes it.

pub mod backon;
pub mod seatbelt;
pub mod tokio;
pub mod tokio_retry2;
pub mod tower;
pub mod tower_resilience;

use std::time::Duration;

/// Three attempts, 100 ms doubling up to 10 s, jitter: what a bare `#[retry]` means, told to all.
const MAX: usize = 3;
const RETRIES: usize = MAX - 1;
const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(10);

const LIMIT: Duration = Duration::from_secs(2);

/// The retries of a call that makes six attempts.
const FIVE: usize = 5;
