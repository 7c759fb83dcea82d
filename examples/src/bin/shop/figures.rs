//! What a client's run comes to.

use std::time::Duration;

use crate::{provider::Ledger, retries::RetryCounts};

/// One customer's visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) order: u32,
    pub(crate) took: Duration,
    /// A receipt, while the customer was still there.
    pub(crate) served: bool,
}

/// What a client's run comes to.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) calls: u32,
    /// Requests that reached the provider.
    pub(crate) requests: u32,
    /// Known of the client that tells.
    pub(crate) retries: Option<RetryCounts>,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Customers who got an error, or nothing in time.
    pub(crate) failures: u32,
    /// Those of them who paid all the same.
    pub(crate) paid_failures: u32,
    pub(crate) double_charges: usize,
}

impl Figures {
    /// Adds up what the customers saw and what the provider did.
    pub(crate) fn new(visits: &[Visit], books: &Ledger) -> Self {
        let mut times: Vec<_> = visits.iter().map(|visit| visit.took).collect();
        times.sort_unstable();
        let charged = books.charged();
        let failed = || visits.iter().filter(|visit| !visit.served);
        Self {
            calls: count(visits.iter()),
            requests: books.requests(),
            retries: None,
            p50: percentile(&times, 50),
            p99: percentile(&times, 99),
            failures: count(failed()),
            paid_failures: count(failed().filter(|visit| charged.contains(&visit.order))),
            double_charges: books.double_charges(),
        }
    }

    /// Adds what the client told of its retries.
    pub(crate) fn with_retries(self, counts: RetryCounts) -> Self {
        Self { retries: Some(counts), ..self }
    }

    /// How many requests the provider gets for one call.
    pub(crate) fn load(&self) -> f64 {
        f64::from(self.requests) / f64::from(self.calls)
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    items.fold(0, |count, _| count + 1)
}

/// The least time that `percent` of them took at most.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<_> = (1..=200).map(Duration::from_secs).collect();
        assert_eq!(percentile(&times, 50), Duration::from_secs(100));
        assert_eq!(percentile(&times, 99), Duration::from_secs(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_secs(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
