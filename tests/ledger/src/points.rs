//! The points of a call where something may befall it, and what that is.

use std::{
    collections::{HashMap, HashSet},
    process::{self, Command},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use serde_json::json;
use tokio::sync::Notify;

use crate::ledger::Ledger;

/// A point of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Point {
    /// The claim is about to be sent.
    BeforeClaim,
    /// The claim is sent, and its answer has not been read.
    ClaimSent,
    /// The store's answer is there, and the call does not know it yet.
    ClaimAcknowledged,
    BodyStarted,
    BeforeEffect,
    EffectDone,
    /// What came of it is known, and not sent.
    BeforeComplete,
    /// The store has kept it, and the call does not know it yet.
    AfterComplete,
}

/// What befalls a call, or its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    /// `kill -9` of the worker.
    Kill,
    /// `kill -STOP` of the worker, which goes on later.
    Stop,
    /// The caller leaves: the call's future is dropped.
    Drop,
    /// The body panics.
    Panic,
    /// The body fails before its effect.
    Fail,
    /// The request never comes to the store.
    LoseRequest,
    /// The store does it, and the reply is lost.
    LoseReply,
    /// The store does it, and the reply comes after more than a lease.
    DelayReply,
}

impl Point {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::BeforeClaim, "before claim"),
        (Self::ClaimSent, "claim sent"),
        (Self::ClaimAcknowledged, "claim acknowledged"),
        (Self::BodyStarted, "body started"),
        (Self::BeforeEffect, "before effect"),
        (Self::EffectDone, "effect done"),
        (Self::BeforeComplete, "before complete"),
        (Self::AfterComplete, "after complete"),
    ];
}

impl Blow {
    pub(crate) const ALL: [(Self, &'static str); 8] = [
        (Self::Kill, "kill"),
        (Self::Stop, "stop"),
        (Self::Drop, "drop"),
        (Self::Panic, "panic"),
        (Self::Fail, "fail"),
        (Self::LoseRequest, "lose request"),
        (Self::LoseReply, "lose reply"),
        (Self::DelayReply, "delay reply"),
    ];
}

/// What is called so.
pub(crate) fn named<T: Copy>(all: &[(T, &'static str)], name: &str) -> Option<T> {
    all.iter().find(|(_, known)| *known == name).map(|(found, _)| *found)
}

/// What it is called.
pub(crate) fn name_of<T: Copy + PartialEq>(all: &[(T, &'static str)], what: T) -> &'static str {
    all.iter().find(|(known, _)| *known == what).map_or("?", |(_, name)| name)
}

/// The blows that are planned, by key and point; whichever call comes there first gets it.
#[derive(Clone, Debug)]
pub(crate) struct Points(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    planned: Mutex<HashMap<(String, Point), Blow>>,
    /// Who is told that the caller of a key leaves.
    callers: Mutex<HashMap<String, Arc<Notify>>>,
    /// How often the process was to be stopped, and which of these times are over.
    stops: AtomicU64,
    over: Mutex<HashSet<u64>>,
    is_over: Condvar,
}

impl Points {
    pub(crate) fn new(ledger: Ledger) -> Self {
        let (planned, callers, stops, over, is_over) = Default::default();
        Self(Arc::new(Inner { ledger, planned, callers, stops, over, is_over }))
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub(crate) fn plan(&self, key: &str, point: Point, blow: Blow) {
        let mut planned = self.0.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.insert((key.to_owned(), point), blow);
    }

    /// From now on nothing befalls anybody.
    pub(crate) fn calm(&self) {
        self.0.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Ends when a blow has it that the callers of this key leave.
    pub(crate) fn caller(&self, key: &str) -> Arc<Notify> {
        let mut callers = self.0.callers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(callers.entry(key.to_owned()).or_default())
    }

    /// Does not come back before the driver has stopped the process, and let it go on. A process that sent
    /// the signal to itself would go on for a while, and not know whether it has been stopped.
    fn stop(&self) {
        let stop = self.0.stops.fetch_add(1, Ordering::Relaxed);
        println!("{}", json!({ "stops": stop }));
        let over = self.0.over.lock().unwrap_or_else(PoisonError::into_inner);
        let over = self.0.is_over.wait_while(over, |over| !over.contains(&stop));
        drop(over.unwrap_or_else(PoisonError::into_inner));
    }

    /// This stop is over.
    pub(crate) fn go_on(&self, stop: u64) {
        self.0.over.lock().unwrap_or_else(PoisonError::into_inner).insert(stop);
        self.0.is_over.notify_all();
    }

    /// A call is at this point: what befalls it and is not done to the process is the caller's to do.
    pub(crate) fn at(&self, key: &str, point: Point) -> Option<Blow> {
        let mut planned = self.0.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let blow = planned.remove(&(key.to_owned(), point))?;
        drop(planned);
        let (point, named) = (name_of(&Point::ALL, point), name_of(&Blow::ALL, blow));
        self.0.ledger.tell("blow", key, json!({ "point": point, "blow": named }));
        match blow {
            Blow::Kill => kill(),
            Blow::Stop => {
                self.stop();
                self.0.ledger.tell("resumed", key, json!({}));
            }
            Blow::Drop => self.caller(key).notify_waiters(),
            _ => {}
        }
        Some(blow)
    }
}

/// It does not come back.
fn kill() -> ! {
    let sent = Command::new("kill").args(["-KILL", &process::id().to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "there is a `kill`");
    loop {
        thread::park();
    }
}
