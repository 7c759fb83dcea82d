//! Where a charge is taken, or something else happens to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use tokio::time::sleep;

use super::{
    door::hang_up,
    ledger::Ledger,
    mood::{Fate, Mood},
};
use crate::order::{IDEMPOTENCY_KEY, Order, Receipt};

/// The provider's state.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
    mood: Mood,
    /// Charges being worked on, also those whose client has left.
    busy: AtomicU32,
}

impl Desk {
    pub(crate) fn new(mood: Mood) -> Self {
        Self { ledger: Ledger::default(), mood, busy: AtomicU32::new(0) }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed) > 0
    }

    /// Performs the charge on a task of its own: a client who leaves doesn't stop the work.
    async fn work(self: Arc<Self>, order: Order, key: Option<String>, takes: Duration) -> Response {
        self.busy.fetch_add(1, Relaxed);
        let working = tokio::spawn(async move {
            sleep(takes).await;
            let charge = self.ledger.charge(order, key);
            self.busy.fetch_sub(1, Relaxed);
            Json(Receipt { charge }).into_response()
        });
        working.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

/// `POST /charges`.
pub(crate) async fn charge(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Response {
    let key = headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
    let visit = desk.ledger.arrive(order);
    match desk.mood.fate(order, visit, desk.busy.load(Relaxed)) {
        Fate::Charge { takes } => desk.work(order, key, takes).await,
        Fate::ChargeBehindGateway { takes, limit } => {
            let work = desk.work(order, key, takes);
            let answer = tokio::time::timeout(limit, work).await;
            answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
        }
        Fate::LoseReply { takes } => {
            desk.work(order, key, takes).await;
            hang_up()
        }
        Fate::HangUp => hang_up(),
        Fate::Hang { silent } => {
            sleep(silent).await;
            hang_up()
        }
        Fate::Throttle { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, retry_after)]).into_response()
        }
        Fate::Refuse => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
