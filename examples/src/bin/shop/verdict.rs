//! Whether the annotations kept their word.

use std::fmt;

use crate::{provider::Mood, run::Clients, scenario::Scenario};

/// What was promised and whether it held.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    promises: Vec<(bool, String)>,
}

impl Verdict {
    /// Holds a scenario's figures against what is promised of it.
    pub(crate) fn judge(&mut self, scenario: &Scenario, clients: &Clients) {
        let Clients { plain, by_hand, steadfast } = clients;
        let name = scenario.name;
        let double = plain.double_charges + by_hand.double_charges + steadfast.double_charges;
        self.promise(double == 0, format!("{name}: nobody was charged twice"));
        match scenario.mood {
            Mood::Flaky => self.promise(
                steadfast.failures * 10 <= plain.failures,
                format!("flaky: {} failures became {}", plain.failures, steadfast.failures),
            ),
            Mood::BrownOut | Mood::Dead => self.promise(
                steadfast.load() <= MOST_LOAD,
                format!("{name}: load x {:.2}, at most x {MOST_LOAD}", steadfast.load()),
            ),
        }
    }

    /// Whether every promise held.
    pub(crate) fn holds(&self) -> bool {
        self.promises.iter().all(|(held, _)| *held)
    }

    fn promise(&mut self, held: bool, promise: String) {
        self.promises.push((held, promise));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, promise) in &self.promises {
            writeln!(f, "{} {promise}", if *held { "held  " } else { "BROKEN" })?;
        }
        Ok(())
    }
}

/// On a provider in trouble, retries included: one in ten by the budget, and what it starts with.
const MOST_LOAD: f64 = 1.15;
