//! Whether the annotations kept their word.

use std::{fmt, time::Duration};

use crate::{checkout, figures::Figures, pages, provider::Mood, run::Clients, scenario::Scenario};

/// What was promised and whether it held.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    promises: Vec<(bool, String)>,
}

impl Verdict {
    /// Holds a scenario's figures against what is promised of it.
    pub(crate) fn judge(&mut self, scenario: &Scenario, clients: &Clients<Figures>) {
        let Clients { plain, by_hand, steadfast } = clients;
        let name = scenario.name;
        let double = plain.double_charges + by_hand.double_charges + steadfast.double_charges;
        self.promise(double == 0, format!("{name}: nobody was charged twice"));
        match scenario.mood {
            Mood::Flaky => self.promise(
                steadfast.failures * 10 <= plain.failures,
                format!("flaky: {} failures became {}", plain.failures, steadfast.failures),
            ),
            Mood::Forgetful => {}
            Mood::BrownOut | Mood::Dead => self.promise(
                steadfast.load() <= MOST_LOAD,
                format!("{name}: load x {:.2}, at most x {MOST_LOAD}", steadfast.load()),
            ),
        }
    }

    /// Holds the figures of a checkout against what is promised of it.
    pub(crate) fn judge_checkout(&mut self, keys: &str, clients: &Clients<checkout::Figures>) {
        let Clients { plain, by_hand, steadfast } = clients;
        let [before, by_hand, after] =
            [plain, by_hand, steadfast].map(|client| client.double_charges);
        self.promise(
            after == 0 && before > 0 && by_hand > 0,
            format!(
                "checkout, keys in {keys}: {before} and {by_hand} double charges became {after}"
            ),
        );
        self.promise(
            steadfast.unserved == 0 && steadfast.differing == 0,
            format!(
                "checkout, keys in {keys}: one receipt for each of {} orders",
                steadfast.orders
            ),
        );
    }

    /// Holds the figures of the recommendations against what is promised of them.
    pub(crate) fn judge_pages(&mut self, clients: &Clients<pages::Figures>) {
        let Clients { plain, by_hand: _, steadfast } = clients;
        let name = "recommendations";
        self.promise(
            steadfast.empty == 0,
            format!("{name}: {} empty pages became {}", plain.empty, steadfast.empty),
        );
        let [before, after] = [plain, steadfast].map(|client| client.requests_while_dead);
        self.promise(
            after * LEAST_SPARED <= before,
            format!(
                "{name}: {before} requests to the dead provider became {after}, at most a fifth"
            ),
        );
        let most_open = steadfast.breaker.as_ref().map(|breaker| breaker.settings.max_open_for);
        let most = most_open.unwrap_or_default().mul_f64(SPREAD) + NOTICING;
        let (first, most) = (steadfast.recovery.first, most.as_secs_f64());
        let first = first.map_or(f64::INFINITY, |first| first.as_secs_f64());
        self.promise(
            first <= most,
            format!("{name}: live {first:.2} s after it was back, at most {most:.1} s"),
        );
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

/// A dead provider gets this many times fewer requests, or fewer yet.
const LEAST_SPARED: u32 = 5;

/// Open times are spread by a tenth.
const SPREAD: f64 = 1.1;

/// For a probe that was under way at the provider's return to fail, and the next to succeed, on a
/// machine that has other things to do.
const NOTICING: Duration = Duration::from_secs(1);
