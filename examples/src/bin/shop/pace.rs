//! How orders come in.

use std::time::Duration;

use tokio::sync::Semaphore;

/// How orders come in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many customers, each of whom orders again as soon as the last order is through.
    AtATime(usize),
    /// Customers who come whether or not the earlier ones are served, some of them all at once.
    /// Only such a crowd can bury a provider: the other kind waits while it is slow.
    Rush,
}

impl Pace {
    /// When the order number `id` comes in, counted from the first.
    pub(crate) fn due(self, id: u32, orders: u32) -> Duration {
        match self {
            Self::AtATime(_) => Duration::ZERO,
            Self::Rush => {
                let from = orders / 5;
                let rushed = id.clamp(from, from + CROWD) - from;
                RUSHED * rushed + CALM * (id - rushed)
            }
        }
    }

    /// How many orders may be under way together.
    pub(crate) fn at_a_time(self) -> usize {
        match self {
            Self::AtATime(customers) => customers,
            Self::Rush => Semaphore::MAX_PERMITS,
        }
    }
}

/// Between two orders on a calm day: 180 a second.
const CALM: Duration = Duration::from_micros(5_556);

/// Between two orders in the rush: 2 000 a second.
const RUSHED: Duration = Duration::from_micros(500);

/// How many come in the rush.
const CROWD: u32 = 250;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_in_a_calm_day() {
        let due = |id| Pace::Rush.due(id, 1_000);
        assert_eq!(due(200), CALM * 200);
        assert_eq!(due(450), due(200) + RUSHED * CROWD);
        assert_eq!(due(999), due(450) + CALM * 549);
    }
}
