//! The recommendations provider: works, is dead for a while, and works again.

use std::{
    io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::door::{Door, hang_up};

/// When the provider is dead.
pub(crate) type Outage = Range<Instant>;

/// A provider that recommends until it is dropped.
#[derive(Debug)]
pub(crate) struct Recommender {
    shelf: Arc<Shelf>,
    door: Door,
}

#[derive(Debug)]
struct Shelf {
    outage: Outage,
    /// Requests that came in the outage.
    while_dead: AtomicU32,
}

impl Recommender {
    /// Opens on a free port.
    pub(crate) async fn open(outage: Outage) -> io::Result<Self> {
        let shelf = Arc::new(Shelf { outage, while_dead: AtomicU32::new(0) });
        let app = Router::new().route("/users/{user}", get(recommend)).with_state(shelf.clone());
        Ok(Self { shelf, door: Door::open(app).await? })
    }

    /// Where it recommends; a user's number goes behind it.
    pub(crate) fn url(&self) -> String {
        self.door.url("/users")
    }

    /// How many requests reached it while it was dead.
    pub(crate) fn requests_while_dead(&self) -> u32 {
        self.shelf.while_dead.load(Relaxed)
    }
}

/// `GET /users/{user}`.
///
/// While dead it fails in three ways, in turn, so that every client meets them all.
async fn recommend(State(shelf): State<Arc<Shelf>>, Path(user): Path<u32>) -> Response {
    let Shelf { outage, while_dead } = &*shelf;
    if !outage.contains(&Instant::now()) {
        sleep(LOOKING).await;
        let titles = [1, 2, 3].map(|nth| format!("pick {nth} for user {user}"));
        return Json(titles).into_response();
    }
    match while_dead.fetch_add(1, Relaxed) % 3 {
        0 => hang_up(),
        1 => {
            sleep(OVERLOADED).await;
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        // Silent until somebody restarts it.
        _ => {
            sleep_until(outage.end).await;
            hang_up()
        }
    }
}

/// What a recommendation takes.
const LOOKING: Duration = Duration::from_millis(15);

/// What it takes to say 503.
const OVERLOADED: Duration = Duration::from_millis(50);
