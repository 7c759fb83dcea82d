//! What steadfast tells about its retries.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use steadfast::telemetry::{self, Event, Reason, StopCause};

/// Counts retries by reason as they happen, for the scenario under way.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    transient: AtomicU32,
    throttled: AtomicU32,
    ambiguous: AtomicU32,
    refused: AtomicU32,
}

/// The retries of one scenario.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryCounts {
    /// It did not happen: a 503.
    pub(crate) transient: u32,
    /// The provider asked for less.
    pub(crate) throttled: u32,
    /// It may have happened: a lost reply, an attempt out of time.
    pub(crate) ambiguous: u32,
    /// Wanted, but more than the budget had.
    pub(crate) refused: u32,
}

impl Retries {
    /// Counts from now on.
    pub(crate) fn observed() -> Arc<Self> {
        let retries = Arc::new(Self::default());
        let counts = Arc::clone(&retries);
        telemetry::observe(move |event| {
            if let Some(counter) = counts.counter(event) {
                counter.fetch_add(1, Relaxed);
            }
        });
        retries
    }

    /// The counts since the last call.
    pub(crate) fn take(&self) -> RetryCounts {
        RetryCounts {
            transient: self.transient.swap(0, Relaxed),
            throttled: self.throttled.swap(0, Relaxed),
            ambiguous: self.ambiguous.swap(0, Relaxed),
            refused: self.refused.swap(0, Relaxed),
        }
    }

    fn counter(&self, event: &Event<'_>) -> Option<&AtomicU32> {
        match event {
            Event::RetryScheduled { reason: Reason::Transient, .. } => Some(&self.transient),
            Event::RetryScheduled { reason: Reason::Throttled, .. } => Some(&self.throttled),
            Event::RetryScheduled { reason: Reason::Ambiguous, .. } => Some(&self.ambiguous),
            Event::RetryStopped { cause: StopCause::BudgetExhausted, .. } => Some(&self.refused),
            _ => None,
        }
    }
}
