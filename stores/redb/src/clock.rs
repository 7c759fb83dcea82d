use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Nanoseconds since the UNIX epoch, as far as the process knows: the wall's time when the store was
/// opened, and from there on tokio's. It never goes back, and never behind what the file has seen.
#[derive(Debug)]
pub(crate) struct Clock {
    opened: Instant,
    opened_at: u64,
    latest: AtomicU64,
}

impl Clock {
    /// One that goes on from the latest time the file has seen.
    pub(crate) fn new(latest: u64) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let opened_at = u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX).max(latest);
        Self { opened: Instant::now(), opened_at, latest: opened_at.into() }
    }

    /// To be read where the caller is: a test's clock stands still only there.
    pub(crate) fn now(&self) -> u64 {
        let elapsed = Instant::now().saturating_duration_since(self.opened).as_nanos();
        let now = self.opened_at.saturating_add(u64::try_from(elapsed).unwrap_or(u64::MAX));
        self.latest.fetch_max(now, Ordering::Relaxed).max(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn goes_with_the_clock_of_a_test() {
        let clock = Clock::new(0);
        let before = clock.now();
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(clock.now() - before, 60_000_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn is_never_behind_the_file() {
        let ahead = Clock::new(0).now() + 3_600_000_000_000;
        assert_eq!(Clock::new(ahead).now(), ahead);
    }
}
