//! What a client's day comes to.

use std::time::Duration;

use steadfast::circuit_breaker::Snapshot;
use tokio::time::Instant;

use super::told::{Source, Told};
use crate::{figures::percentile, provider::Outage, run::PATIENCE};

/// One page and what it showed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    asked: Instant,
    shown: Instant,
    told: Told,
}

/// What a client's day comes to.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) pages: usize,
    pub(crate) live: usize,
    pub(crate) last_good: usize,
    /// The age of the oldest of them.
    pub(crate) oldest: Option<Duration>,
    pub(crate) bestsellers: usize,
    /// Pages without recommendations, or too late.
    pub(crate) empty: usize,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) requests_while_dead: u32,
    /// Requests that a breaker kept from it.
    pub(crate) spared: u32,
    /// Known of the client that has one.
    pub(crate) breaker: Option<Snapshot>,
    pub(crate) recovery: Recovery,
}

/// How long after the provider's return a client noticed; `None` if it never did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Until the first live page.
    pub(crate) first: Option<Duration>,
    /// Until the last page that was not, if that came later.
    pub(crate) whole: Option<Duration>,
}

impl Page {
    /// Notes what has just been shown.
    pub(crate) fn new(asked: Instant, mut told: Told) -> Self {
        let shown = Instant::now();
        if shown - asked > PATIENCE {
            told.source = Source::Nowhere;
        }
        Self { asked, shown, told }
    }

    fn is_live(&self) -> bool {
        self.told.source == Source::Live
    }
}

impl Figures {
    /// Adds up what the pages showed, and what reached the dead provider.
    pub(crate) fn new(pages: &[Page], outage: &Outage, requests_while_dead: u32) -> Self {
        let mut times: Vec<_> = pages.iter().map(|page| page.shown - page.asked).collect();
        times.sort_unstable();
        let count =
            |wanted: fn(Source) -> bool| pages.iter().filter(|p| wanted(p.told.source)).count();
        let in_outage = pages.iter().filter(|page| outage.contains(&page.asked));
        let age = |page: &Page| match page.told.source {
            Source::LastGood(age) => Some(age),
            _ => None,
        };
        Self {
            pages: pages.len(),
            live: count(|source| source == Source::Live),
            last_good: count(|source| matches!(source, Source::LastGood(_))),
            oldest: pages.iter().filter_map(age).max(),
            bestsellers: count(|source| source == Source::Bestsellers),
            empty: count(|source| source == Source::Nowhere),
            p50: percentile(&times, 50),
            p99: percentile(&times, 99),
            requests_while_dead,
            spared: in_outage.map(|page| page.told.refused).sum(),
            breaker: None,
            recovery: Recovery::of(pages, outage.end),
        }
    }
}

impl Recovery {
    fn of(pages: &[Page], back: Instant) -> Self {
        let since = |page: &Page| page.shown.saturating_duration_since(back);
        let (live, other): (Vec<&Page>, Vec<&Page>) = pages.iter().partition(|page| page.is_live());
        let first = live.into_iter().filter(|page| page.shown >= back).map(since).min();
        let recovered = pages.iter().max_by_key(|page| page.asked).is_some_and(Page::is_live);
        let whole = other.into_iter().map(since).max().max(first).filter(|_| recovered);
        Self { first, whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovered_at_the_first_live_page_and_after_the_last_other_one() {
        let opened = Instant::now();
        let at = |secs| opened + Duration::from_secs(secs);
        let page = |secs, source| {
            let told = Told { source, ..Told::default() };
            Page { asked: at(secs), shown: at(secs + 1), told }
        };
        let (live, empty) = (Source::Live, Source::Nowhere);
        let mut pages =
            vec![page(0, live), page(2, empty), page(5, empty), page(6, live), page(7, empty)];
        let secs = |secs| Some(Duration::from_secs(secs));
        assert_eq!(Recovery::of(&pages, at(4)), Recovery { first: secs(3), whole: None });
        pages.push(page(9, live));
        assert_eq!(Recovery::of(&pages, at(4)), Recovery { first: secs(3), whole: secs(4) });
        assert_eq!(Recovery::of(&pages[1..3], at(4)), Recovery::default());
    }
}
