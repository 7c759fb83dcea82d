//! When customers come, and when the provider is dead.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tokio::time::Instant;

use crate::provider::Outage;

/// How long the provider works, is dead, and works again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) works: Duration,
    pub(crate) dead: Duration,
    again: Duration,
}

impl Day {
    /// The end is longer than the longest that a breaker may take to notice that it has come.
    pub(crate) const FULL: Self = Self::of_millis(3_000, 3_000, 4_000);

    /// About half as long.
    pub(crate) const QUICK: Self = Self::of_millis(1_000, 1_500, 3_500);

    const fn of_millis(works: u64, dead: u64, again: u64) -> Self {
        Self {
            works: Duration::from_millis(works),
            dead: Duration::from_millis(dead),
            again: Duration::from_millis(again),
        }
    }

    /// When the provider is dead, on a day that begins at `opened`.
    pub(crate) fn outage(self, opened: Instant) -> Outage {
        let dies = opened + self.works;
        dies..dies + self.dead
    }

    /// How many pages are asked for.
    pub(crate) fn pages(self) -> u32 {
        let all = (self.works + self.dead + self.again).as_millis();
        u32::try_from(all / BETWEEN.as_millis()).unwrap_or(u32::MAX)
    }

    /// When the page of this number is asked for, counted from the first.
    pub(crate) fn due(page: u32) -> Duration {
        BETWEEN * page
    }

    /// Who asks for it: somebody who comes now and then, the same for every client.
    pub(crate) fn user(page: u32) -> u32 {
        SmallRng::seed_from_u64(page.into()).random_range(0..USERS)
    }
}

/// Between two pages: 100 a second.
const BETWEEN: Duration = Duration::from_millis(10);

/// So few that many have been here before the provider dies, and so many that some have not.
pub(crate) const USERS: u32 = 250;
