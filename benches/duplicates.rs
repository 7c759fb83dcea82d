//! A crowd of duplicates that waits for one running call.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::pin,
    rc::Rc,
    time::{Duration, Instant},
};

use steadfast::{idempotent, idempotent::Store};
use tokio::{task::LocalSet, time::sleep};

use crate::{
    client::{ApiError, Receipt, UP},
    harness::inside,
    ours::idempotent::store,
};

/// What came of so many calls with one key, all of them in one thread.
pub struct Duplicates {
    pub calls: usize,
    /// How often the body ran.
    pub runs: u32,
    /// How many returned its result.
    pub returned: usize,
    /// Until the last one waited.
    pub gathering: Duration,
    /// From the end of the body until the last one returned.
    pub waking: Duration,
    /// The most polls that one of them took, and of all of them together.
    pub most_polls: u32,
    pub polls: u32,
}

pub fn measured(calls: usize) -> Duplicates {
    let scene = Rc::new(Scene::new());
    let returned = inside(LocalSet::new().run_until({
        let scene = Rc::clone(&scene);
        async move { crowd(scene, calls).await }
    }));
    let over = scene.over.get().elapsed();
    let polls = scene.polls.take();
    Duplicates {
        calls,
        runs: scene.runs.get(),
        returned,
        gathering: scene.gathered.get(),
        waking: over,
        most_polls: polls.iter().copied().max().unwrap_or(0),
        polls: polls.iter().sum(),
    }
}

async fn crowd(scene: Rc<Scene>, calls: usize) -> usize {
    let store = store();
    let start = Instant::now();
    let spawned: Vec<_> = (0..calls)
        .map(|_| {
            let (scene, store) = (Rc::clone(&scene), store.clone());
            tokio::task::spawn_local(async move {
                let (receipt, polls) = counted(charge(&store, 7, &scene)).await;
                scene.polls.borrow_mut().push(polls);
                receipt
            })
        })
        .collect();
    // In the order in which they were spawned: then each has been polled once.
    tokio::task::spawn_local(async {}).await.expect("it does nothing");
    scene.gathered.set(start.elapsed());
    let mut returned = 0;
    for call in spawned {
        let receipt = call.await.expect("no call panics");
        returned += usize::from(receipt.is_ok_and(|receipt| receipt.order == 7));
    }
    returned
}

#[idempotent(key = id, store = store)]
async fn charge(store: &Store, id: u64, scene: &Scene) -> Result<Receipt, ApiError> {
    scene.runs.set(scene.runs.get() + 1);
    sleep(LONG).await;
    scene.over.set(Instant::now());
    UP.charge(id).await
}

struct Scene {
    runs: Cell<u32>,
    gathered: Cell<Duration>,
    over: Cell<Instant>,
    polls: RefCell<Vec<u32>>,
}

impl Scene {
    fn new() -> Self {
        Self {
            runs: Cell::new(0),
            gathered: Cell::new(Duration::ZERO),
            over: Cell::new(Instant::now()),
            polls: RefCell::default(),
        }
    }
}

/// The output, and how many polls it took.
async fn counted<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut polls = 0;
    poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx).map(|output| (output, polls))
    })
    .await
}

/// Longer than it takes them to gather.
const LONG: Duration = Duration::from_millis(500);
