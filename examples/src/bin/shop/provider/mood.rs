//! How the provider misbehaves today.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::order::Order;

/// How the provider misbehaves today.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    /// Nobody is served: half get 503, half a closed connection.
    Dead,
    /// A bit of everything, in 7 % of requests.
    Flaky,
    /// All is charged, and one reply in twenty is lost.
    Forgetful,
    /// Work takes longer the more of it is under way, and a gateway in front gives up on what
    /// takes too long, while the work goes on.
    BrownOut,
}

/// What becomes of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Charge { takes: Duration },
    ChargeBehindGateway { takes: Duration, limit: Duration },
    Hang { silent: Duration },
    HangUp,
    LoseReply { takes: Duration },
    Refuse,
    Throttle { retry_after: u32 },
}

impl Mood {
    /// Throws the dice for the request number `visit` of an order, while `busy` others are worked
    /// on. The dice know the order and the visit but not the client, so every client meets the
    /// same luck, in every run.
    pub(crate) fn fate(self, order: Order, visit: u32, busy: u32) -> Fate {
        let mut dice = SmallRng::seed_from_u64(u64::from(order.id) << 32 | u64::from(visit));
        let percent = dice.random_range(0.0..100.0);
        let takes = millis(dice.random_range(10..30));
        match self {
            Self::Dead if percent < 50.0 => Fate::Refuse,
            Self::Dead => Fate::HangUp,
            Self::Flaky => match percent {
                ..2.5 => Fate::LoseReply { takes },
                ..5.0 => Fate::Refuse,
                ..6.0 => Fate::Throttle { retry_after: 1 },
                ..7.0 => Fate::Hang { silent: SILENT },
                ..10.0 => Fate::Charge { takes: SLOW },
                _ => Fate::Charge { takes },
            },
            Self::Forgetful if percent < 5.0 => Fate::LoseReply { takes },
            Self::Forgetful => Fate::Charge { takes },
            Self::BrownOut if percent < 2.0 => Fate::Refuse,
            Self::BrownOut => {
                Fate::ChargeBehindGateway { takes: ALONE + EACH_OTHER * busy, limit: GATEWAY }
            }
        }
    }
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Longer than any customer waits.
const SILENT: Duration = millis(3_000);

/// A slow answer, but one worth waiting for.
const SLOW: Duration = millis(250);

/// What a charge takes in a brown-out if no other is worked on.
const ALONE: Duration = millis(25);

/// What each other charge adds to that; so 500 charges a second are the most it can ever do.
const EACH_OTHER: Duration = millis(2);

/// When the gateway answers 504.
const GATEWAY: Duration = millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    /// More than a retry budget covers, one in ten, would show the budget and not the retries.
    #[test]
    fn seven_in_a_hundred_go_wrong_on_a_flaky_day() {
        let fates = (0..10_000).map(|id| Mood::Flaky.fate(Order::new(id), 1, 0));
        let wrong = fates.filter(|fate| !matches!(fate, Fate::Charge { .. })).count();
        assert!((650..750).contains(&wrong), "{wrong}");
    }
}
