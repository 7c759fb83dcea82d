//! The days a shop has to live through.

use crate::{pace::Pace, provider::Mood};

/// A day at the shop.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What happens, in a sentence or two.
    pub(crate) story: &'static str,
    pub(crate) mood: Mood,
    pub(crate) pace: Pace,
}

/// All of them, in the order they are shown.
pub(crate) const SCENARIOS: [Scenario; 3] = [
    Scenario {
        name: "flaky",
        story: "7 % of requests go wrong: replies lost, 503, 429, silence.\n50 orders at a time.",
        mood: Mood::Flaky,
        pace: Pace::AtATime(50),
    },
    Scenario {
        name: "brown-out",
        story: "the provider gets slower with every charge under way; its gateway gives up \
                after 300 ms.\n180 orders a second come in, and once a rush of 250 together.",
        mood: Mood::BrownOut,
        pace: Pace::Rush,
    },
    Scenario {
        name: "dead",
        story: "every request gets 503 or a closed connection.\n50 orders at a time.",
        mood: Mood::Dead,
        pace: Pace::AtATime(50),
    },
];
