//! When what has expired is deleted, without anybody having to see to it.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// About each minute, and not of all processes at once.
#[derive(Debug)]
pub(crate) struct Sweep(Mutex<Instant>);

impl Sweep {
    /// The first is in a minute or so.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Instant::now() + MINUTE / 2 + up_to(MINUTE / 2)))
    }

    /// Whether it is time. Then it is not again for a while.
    pub(crate) fn is_due(&self) -> bool {
        let now = Instant::now();
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = *next <= now;
        if is_due {
            *next = now + MINUTE + up_to(MINUTE / 4);
        }
        is_due
    }
}

fn up_to(most: Duration) -> Duration {
    let chance = RandomState::new().build_hasher().finish() % 1_000;
    most * u32::try_from(chance).unwrap_or(0) / 1_000
}

const MINUTE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn is_due_about_each_minute() {
        let sweep = Sweep::new();
        for _ in 0..20 {
            advance(MINUTE * 5 / 4).await;
            assert!(sweep.is_due());
            assert!(!sweep.is_due());
            advance(Duration::from_secs(59)).await;
            assert!(!sweep.is_due());
        }
    }
}
