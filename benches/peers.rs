//! The same call made with other crates, each as its own documentation writes it.

pub mod backon;
pub mod circuitbreaker_rs;
pub mod failsafe;
pub mod moka;
pub mod nobreak;
pub mod recloser;
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

/// Opens once half of the calls of a minute fail, of twenty at least, for half a minute, and then
/// probes with one: what a bare `#[circuit_breaker]` means, told to all as far as they understand.
const RATE: f32 = 0.5;
const WINDOW: Duration = Duration::from_mins(1);
const CALLS: u8 = 20;
const OPEN_FOR: Duration = Duration::from_secs(30);

/// For breakers that have to stay open longer than we measure.
const HOUR: Duration = Duration::from_hours(1);

/// The retries of a call that makes six attempts.
const FIVE: usize = 5;
