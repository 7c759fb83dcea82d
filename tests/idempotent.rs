//! `#[idempotent]` on a paused clock.
#![expect(clippy::items_after_statements, reason = "a function stands before what is asked of it")]

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use steadfast::{
    Error, Fault,
    idempotent::{MemoryStore, Store, marked},
    telemetry::{self, Event},
    testing::{PausedClock, store_contract},
};
use tokio::time::sleep;

use self::faulty::Faulty;

mod crowd;
mod detach;
mod duplicates;
mod faulty;
mod find_out;
mod interrupted;
mod keys;
mod lease;
mod memory;
mod outage;
mod results;
mod transaction;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A store in memory, for one test.
macro_rules! in_memory {
    ($name:ident) => {
        static $name: ::std::sync::LazyLock<::steadfast::idempotent::Store> =
            ::std::sync::LazyLock::new(|| {
                ::steadfast::idempotent::Store::new(::steadfast::idempotent::MemoryStore::new())
            });
    };
}
use in_memory;

#[derive(Clone, Debug, PartialEq, thiserror::Error, Fault, Serialize, Deserialize)]
enum Failure {
    #[error("declined")]
    #[fault(permanent)]
    Declined,
    #[error("busy")]
    #[fault(transient)]
    Busy,
    #[error("no reply")]
    #[fault(ambiguous)]
    NoReply,
    #[error("refused: {0}")]
    #[fault(permanent)]
    Refused(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let debug = format!("{error:?}");
        Self::Refused(debug.split([' ', '{']).next().unwrap_or_default().to_owned())
    }
}

/// A refusal, by its name.
fn refused<T>(name: &str) -> Result<T, Failure> {
    Err(Failure::Refused(name.to_owned()))
}

/// The events of the function of this name, a line each.
fn observed(function: &'static str) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    let sender = Mutex::new(sender);
    telemetry::observe(move |event| {
        let (name, line) = match *event {
            Event::CallReplayed { function, .. } => (function, "replayed".to_owned()),
            Event::CompletionUnrecorded { function, .. } => (function, "unrecorded".to_owned()),
            Event::EffectMayRepeat { function, interruptions, .. } => {
                (function, format!("may repeat {interruptions}"))
            }
            Event::KeyRefused { function, cause, .. } => (function, format!("refused {cause}")),
            Event::LeaseLost { function, .. } => (function, "lease lost".to_owned()),
            Event::ResultOmitted { function, .. } => (function, "omitted".to_owned()),
            Event::RunInterrupted { function, cause, .. } => {
                (function, format!("interrupted {cause}"))
            }
            Event::RunUnguarded { function, .. } => (function, "unguarded".to_owned()),
            Event::StoreFailed { function, operation, .. } => {
                (function, format!("failed {operation}"))
            }
            _ => return,
        };
        if name.ends_with(function) {
            let _ = sender.lock().expect("no panic").send(line);
        }
    });
    lines
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Receipt {
    order: u64,
    amount: u64,
}

struct Order {
    id: u64,
    amount: u64,
}

#[tokio::test(start_paused = true)]
async fn once_for_each_key() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = order.id, fingerprint = order.amount, store = STORE)]
    async fn charge_once(order: &Order, runs: &AtomicU32) -> Result<Receipt, Failure> {
        runs.fetch_add(1, Ordering::Relaxed);
        sleep(SECOND).await;
        Ok(Receipt { order: order.id, amount: order.amount })
    }
    let (runs, events) = (AtomicU32::new(0), observed("::charge_once"));
    let order = Order { id: 7, amount: 100 };
    let (first, replayed) = marked(charge_once(&order, &runs)).await;
    assert_eq!((&first, replayed), (&Ok(Receipt { order: 7, amount: 100 }), Some(false)));
    let (again, replayed) = marked(charge_once(&order, &runs)).await;
    assert_eq!((again, replayed), (first, Some(true)));
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    let other = Order { id: 7, amount: 99 };
    assert_eq!(charge_once(&other, &runs).await, refused("KeyMismatch"));
    charge_once(&Order { id: 8, amount: 99 }, &runs).await.expect("it runs");
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["replayed", "refused mismatch"]);
}

#[tokio::test(start_paused = true)]
async fn the_stores_keep_the_laws() {
    store_contract(&Store::new(MemoryStore::new()), &PausedClock).await;
    store_contract(&Faulty::new().store(), &PausedClock).await;
}

/// A method, generics and all the rest that `shapes.rs` tries on the other policies.
#[tokio::test(start_paused = true)]
async fn in_a_method_with_its_own_store() {
    struct Shop<S> {
        keys: Store,
        charges: S,
    }
    impl Shop<AtomicU32> {
        #[steadfast::idempotent(key(account, order.id), tenant = account, scope = "Shop::charge", store = self.keys)]
        #[steadfast::retry(max = 2)]
        #[steadfast::deadline("1s")]
        async fn charge<A: Serialize>(&mut self, account: A, order: Order) -> Result<u64, Failure> {
            let charges = self.charges.get_mut();
            *charges += 1;
            if *charges == 1 {
                return Err(Failure::Busy);
            }
            let Order { id, amount } = order;
            Ok(id + amount)
        }

        #[steadfast::fallback(expr = 0)]
        #[steadfast::idempotent(key = order, scope = "Shop::owned", store = self.keys)]
        async fn owned(self, order: u64) -> Result<u64, Failure> {
            Err(Failure::Declined)
        }
    }
    let keys = Store::new(MemoryStore::new());
    let mut shop = Shop { keys: keys.clone(), charges: AtomicU32::new(0) };
    for _ in 0..2 {
        assert_eq!(shop.charge("a", Order { id: 1, amount: 2 }).await, Ok(3));
    }
    assert_eq!(shop.charge("b", Order { id: 1, amount: 3 }).await, Ok(4));
    assert_eq!(shop.charges.load(Ordering::Relaxed), 3);
    assert_eq!(shop.owned(7).await, Ok(0));
}
