//! The providers: HTTP services on loopback ports that misbehave on command.

mod desk;
mod door;
mod ledger;
mod mood;
mod recommender;

pub(crate) use self::{
    ledger::Ledger,
    mood::Mood,
    recommender::{Outage, Recommender},
};

use std::{io, sync::Arc, time::Duration};

use axum::{Router, routing::post};
use tokio::time::sleep;

use self::{desk::Desk, door::Door};

/// A payment provider that takes charges until it is dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    desk: Arc<Desk>,
    door: Door,
}

impl Provider {
    /// Opens on a free port.
    pub(crate) async fn open(mood: Mood) -> io::Result<Self> {
        let desk = Arc::new(Desk::new(mood));
        let app = Router::new().route("/charges", post(desk::charge)).with_state(desk.clone());
        Ok(Self { desk, door: Door::open(app).await? })
    }

    /// Where it takes charges.
    pub(crate) fn url(&self) -> String {
        self.door.url("/charges")
    }

    /// Its books, once the work that nobody waits for any more is done too.
    pub(crate) async fn books(&self) -> &Ledger {
        while self.desk.is_busy() {
            sleep(Duration::from_millis(10)).await;
        }
        &self.desk.ledger
    }
}
