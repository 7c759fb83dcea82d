//! A store that answers later, as one behind a network does, and fails when it is told to.

use std::{
    collections::VecDeque,
    fmt,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, MemoryStore, Reply, Resolution, Store,
    StoreError, Stored, Written,
};
use tokio::time::sleep;

/// What befalls an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trouble {
    /// The server is down: nothing happens.
    Down,
    /// It happens, and the reply takes so long.
    LateReply(Duration),
    /// It happens, and the reply is lost.
    LostReply,
    /// It never ends, and nothing happens.
    Hangs,
    /// It takes so long.
    Slow(Duration),
    /// There is no room.
    Full,
}

/// Handles on one store.
#[derive(Clone)]
pub(crate) struct Faulty(Arc<Inner>);

struct Inner {
    memory: MemoryStore,
    /// What befalls the next operations of a name, in order.
    plan: Mutex<VecDeque<(&'static str, Trouble)>>,
    /// All operations so far.
    asked: Mutex<Vec<&'static str>>,
}

impl Faulty {
    pub(crate) fn new() -> Self {
        let (memory, plan, asked) = (MemoryStore::new(), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { memory, plan, asked }))
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(self.clone())
    }

    /// So many of the next operations of this name get into trouble.
    pub(crate) fn plan(&self, operation: &'static str, trouble: Trouble, times: usize) {
        let mut plan = self.0.plan.lock().expect("no panic");
        plan.extend(std::iter::repeat_n((operation, trouble), times));
    }

    pub(crate) fn heal(&self) {
        self.0.plan.lock().expect("no panic").clear();
    }

    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.0.asked.lock().expect("no panic").clone()
    }

    fn operation<'a, T: Send + Unpin + 'a>(
        &'a self,
        name: &'static str,
        operate: impl FnOnce(&'a MemoryStore) -> Reply<'a, T> + Send + 'a,
    ) -> Reply<'a, T> {
        Reply::later(async move {
            self.0.asked.lock().expect("no panic").push(name);
            let trouble = {
                let mut plan = self.0.plan.lock().expect("no panic");
                let next = plan.iter().position(|(planned, _)| *planned == name);
                next.and_then(|at| plan.remove(at)).map(|(_, trouble)| trouble)
            };
            tokio::task::yield_now().await;
            match trouble {
                None => operate(&self.0.memory).await,
                Some(Trouble::Down) => Err(StoreError::unavailable("connection refused")),
                Some(Trouble::Full) => Err(StoreError::Full),
                Some(Trouble::Hangs) => pending().await,
                Some(Trouble::Slow(time)) => {
                    sleep(time).await;
                    // As on a socket, whoever waits for it has to be polled once more.
                    tokio::task::yield_now().await;
                    operate(&self.0.memory).await
                }
                Some(Trouble::LateReply(time)) => {
                    let reply = operate(&self.0.memory).await;
                    sleep(time).await;
                    reply
                }
                Some(Trouble::LostReply) => {
                    operate(&self.0.memory).await?;
                    Err(StoreError::unavailable("connection reset"))
                }
            }
        })
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}

impl KeyStore for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        self.operation("claim", |memory| {
            let memory = memory.claim(key, claim);
            // As a server does, it tells nobody of a change.
            Reply::later(async move {
                let mut claimed = memory.await?;
                if let Claimed::InProgress { changed, .. } = &mut claimed {
                    *changed = None;
                }
                Ok(claimed)
            })
        })
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        self.operation("renew", move |memory| memory.renew(key, token, lease))
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        self.operation("complete", move |memory| memory.complete(key, token, succeeded, result))
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        self.operation("release", move |memory| memory.release(key, token))
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.operation("interrupt", move |memory| memory.interrupt(key, token, ran))
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        self.operation("look", move |memory| memory.look(key))
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        self.operation("interrupted", move |memory| memory.interrupted(after, limit))
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        self.operation("resolve", move |memory| memory.resolve(key, resolution))
    }

    fn count(&self) -> Reply<'_, Counts> {
        self.operation("count", KeyStore::count)
    }

    fn purge(&self) -> Reply<'_, u64> {
        self.operation("purge", KeyStore::purge)
    }
}
