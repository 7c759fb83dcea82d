//! What steadfast tells of one page.

use std::{cell::Cell, time::Duration};

use steadfast::telemetry::{self, Event};
use tokio::task_local;

/// Where a page's recommendations came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Source {
    /// The provider.
    #[default]
    Live,
    /// The provider, so long ago.
    LastGood(Duration),
    /// What everybody buys.
    Bestsellers,
    /// An error: the page stays empty.
    Nowhere,
}

/// What is known of a page's call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) source: Source,
    /// Attempts that the breaker refused.
    pub(crate) refused: u32,
}

task_local! {
    /// The call under way in this task. An observer runs inside the call that it is told of, so it
    /// finds the right one.
    static CALL: Cell<Told>;
}

/// Listens from now on.
pub(crate) fn observe() {
    telemetry::observe(|event| {
        // Fails in a payment, which nobody asks that of.
        let _ = CALL.try_with(|call| call.set(call.get().and(event)));
    });
}

/// Makes a call, and tells of it.
pub(crate) async fn of<T, E>(call: impl Future<Output = Result<T, E>>) -> Told {
    let asked = async {
        match call.await {
            Ok(_) => CALL.with(Cell::get),
            Err(_) => Told { source: Source::Nowhere, ..CALL.with(Cell::get) },
        }
    };
    CALL.scope(Cell::default(), asked).await
}

impl Told {
    fn and(self, event: &Event<'_>) -> Self {
        match event {
            Event::CircuitRefused { .. } => Self { refused: self.refused + 1, ..self },
            Event::FallbackServed { age: Some(age), .. } => {
                Self { source: Source::LastGood(*age), ..self }
            }
            Event::FallbackServed { .. } => Self { source: Source::Bestsellers, ..self },
            _ => self,
        }
    }
}
