//! A key that a call holds: from its claim to what is written in the end, whatever happens in between.

use std::{
    future::{Future, poll_fn},
    mem::replace,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
    thread,
    time::Duration,
};

use tokio::{
    runtime::Handle,
    task::coop::unconstrained,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

use super::{
    current::Running,
    record::Stored,
    store::{Reply, Store, StoreError, Written},
};
use crate::{
    clock, deadline,
    random::between,
    site::Site,
    telemetry::{self, Event, Interruption},
};

/// A key that a call holds. Dropped, it says so to the store.
pub(super) struct Held {
    pub(super) running: Arc<Running>,
    pub(super) store: Store,
    site: &'static Site,
    /// From when on the body may not run: somebody else could. By the [`clock`].
    fence: AtomicU64,
    phase: Phase,
    /// Whether a run before was cut off, and nobody has found out how far it came.
    unresolved: bool,
}

/// How far a call is, and so what its drop means.
enum Phase {
    /// The key is claimed, and nothing has run.
    Claimed,
    /// The key is taken over from a run that was cut off, and nothing has run since.
    TakenOver,
    /// The body runs.
    Running,
    /// The body has ended: this is what came of it.
    Ended(Settlement),
    /// All is written.
    Settled,
}

/// What came of a run.
#[derive(Clone, Debug)]
pub(super) enum Settlement {
    Complete { succeeded: bool, result: Stored },
    Interrupt { ran: bool },
    Release,
}

impl Held {
    /// A key, claimed with a claim that was sent at this time.
    pub(super) fn new(
        running: Arc<Running>,
        store: &Store,
        site: &'static Site,
        sent: u64,
        took_over: bool,
    ) -> Self {
        let phase = if took_over { Phase::TakenOver } else { Phase::Claimed };
        let fence = AtomicU64::new(fence(sent, running.lease));
        let store = store.clone();
        Self { running, store, site, fence, phase, unresolved: took_over }
    }

    /// Whether the lease may be over before anything has run: then nothing may.
    pub(super) fn is_late(&self) -> bool {
        // The coarse clock may be a tick behind, which is little of a lease that is not very short.
        let is_short = self.running.lease < Duration::from_secs(1);
        let now = if is_short { clock::now() } else { clock::coarse_now() };
        now >= self.fence.load(Ordering::Relaxed)
    }

    /// Whether what runs now is the body, and not what finds out about an earlier one.
    pub(super) fn begin(&mut self) {
        self.phase = Phase::Running;
    }

    /// The body has succeeded: whatever comes of its result, that it happened is known.
    pub(super) fn succeeded(&mut self) {
        let result = Stored::Unserializable;
        self.phase = Phase::Ended(Settlement::Complete { succeeded: true, result });
    }

    /// An earlier run did nothing.
    pub(super) fn begin_anew(&mut self) {
        self.phase = Phase::Claimed;
        self.unresolved = false;
    }

    /// Runs a future while the lease is renewed. `None` if it was lost: then the future is no longer
    /// polled, and to be dropped.
    pub(super) async fn attend<F: Future>(
        &self,
        mut body: Pin<&mut Option<F>>,
    ) -> Option<F::Output> {
        let mut tending = pin!(unconstrained(self.tend()));
        let mut has_waited = false;
        poll_fn(move |cx| {
            // A process that was stopped comes back late, and must not go on.
            if has_waited && clock::now() >= self.fence.load(Ordering::Relaxed) {
                return Poll::Ready(None);
            }
            has_waited = true;
            let Some(body) = body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
            if let Poll::Ready(output) = self.running.scope(|| body.poll(cx)) {
                return Poll::Ready(Some(output));
            }
            tending.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    /// Renews the lease, at a third of it. Ends when it is lost.
    async fn tend(&self) {
        let (store, Running { key, token, lease, .. }) = (&self.store, &*self.running);
        // The claim's answer may have taken its time.
        let left = self.fence.load(Ordering::Relaxed).saturating_sub(clock::now());
        let mut wait = (*lease / 3).min(Duration::from_nanos(left / 2));
        loop {
            sleep(wait).await;
            let sent = clock::now();
            let fence = self.fence.load(Ordering::Relaxed);
            if sent >= fence {
                return;
            }
            let left = Duration::from_nanos(fence - sent);
            match timeout(left, store.renew(key, *token, *lease)).await {
                Ok(Ok(Written::Yes)) => {
                    self.fence.store(self::fence(sent, *lease), Ordering::Relaxed);
                    wait = *lease / 3;
                }
                Ok(Ok(Written::LeaseLost)) | Err(_) => return,
                Ok(Err(error)) => {
                    tell_failed(store, self.site, "renew", &error);
                    wait = (*lease / 10).min(left);
                }
            }
        }
    }

    /// Writes what came of the run. `None` if the store could not be reached in time: then it is gone
    /// on with in the background.
    pub(super) async fn settle(&mut self, settlement: Settlement) -> Option<Written> {
        // This run has done nothing, and nobody knows of the one before.
        let settlement = match settlement {
            Settlement::Release if self.unresolved => Settlement::Interrupt { ran: false },
            settlement => settlement,
        };
        if let Reply::Now(Some(Ok(written))) = self.running.write(&self.store, &settlement) {
            self.phase = Phase::Settled;
            return Some(written);
        }
        self.phase = Phase::Ended(settlement.clone());
        // In a box, as it is the rare.
        let written = Box::pin(self.record(settlement)).await;
        if written.is_some() {
            self.phase = Phase::Settled;
        } else {
            self.leave();
        }
        written
    }

    /// `None` if the store could not be reached in time.
    async fn record(&self, settlement: Settlement) -> Option<Written> {
        let left = deadline::remaining().unwrap_or(PATIENCE) / 2;
        let patience = PATIENCE.min(self.running.lease / 3).min(left);
        let mut persist = pin!(persist(&self.store, &self.running, self.site, settlement));
        match timeout(patience, persist.as_mut()).await {
            // A process that was stopped comes back late, and has not waited. Somebody else may have
            // taken over, whose result is then the one for all.
            Err(_) if clock::now() >= self.fence.load(Ordering::Relaxed) => {
                let left = deadline::remaining().unwrap_or(PATIENCE) / 2;
                timeout(PATIENCE.min(left), persist).await.unwrap_or(None)
            }
            waited => waited.unwrap_or(None),
        }
    }

    /// Goes on without whoever called.
    fn leave(&mut self) {
        let settlement = match replace(&mut self.phase, Phase::Settled) {
            Phase::Claimed => Settlement::Release,
            Phase::TakenOver => Settlement::Interrupt { ran: false },
            Phase::Running => {
                let panics = thread::panicking();
                let cause = if panics { Interruption::Panicked } else { Interruption::Dropped };
                self.tell_interrupted(cause);
                Settlement::Interrupt { ran: true }
            }
            Phase::Ended(settlement) => settlement,
            Phase::Settled => return,
        };
        if let Reply::Now(Some(Ok(_))) = self.running.write(&self.store, &settlement) {
            return;
        }
        let (store, running, site) = (self.store.clone(), Arc::clone(&self.running), self.site);
        match Handle::try_current() {
            Ok(runtime) => {
                let mut left = Left { store, running, site, settlement: Some(settlement) };
                runtime.spawn(async move { left.persist().await });
            }
            Err(_) => tell_unrecorded(&store, &running, site, &settlement),
        }
    }

    pub(super) fn tell_interrupted(&self, cause: Interruption) {
        let (function, store) = (self.site.function(), self.store.name());
        let key = &self.running.key;
        telemetry::raise(&Event::RunInterrupted { function, store, key, cause });
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What is still to be written when nobody waits for it any more.
struct Left {
    store: Store,
    running: Arc<Running>,
    site: &'static Site,
    /// Until it is.
    settlement: Option<Settlement>,
}

impl Left {
    async fn persist(&mut self) {
        let Some(settlement) = self.settlement.clone() else { return };
        let is_result = matches!(settlement, Settlement::Complete { .. });
        let written = persist(&self.store, &self.running, self.site, settlement).await;
        self.settlement = None;
        if is_result && written == Some(Written::LeaseLost) {
            // The caller has another result than all who come after.
            let (function, store) = (self.site.function(), self.store.name());
            telemetry::raise(&Event::LeaseLost { function, store, key: &self.running.key });
        }
    }
}

/// The runtime shuts down.
impl Drop for Left {
    fn drop(&mut self) {
        if let Some(settlement) = &self.settlement {
            tell_unrecorded(&self.store, &self.running, self.site, settlement);
        }
    }
}

impl Running {
    fn write<'a>(&'a self, store: &'a Store, settlement: &Settlement) -> Reply<'a, Written> {
        let Self { key, token, .. } = self;
        match settlement {
            Settlement::Complete { succeeded, result } => {
                store.complete(key, *token, *succeeded, result.clone())
            }
            Settlement::Interrupt { ran } => store.interrupt(key, *token, *ran),
            Settlement::Release => store.release(key, *token),
        }
    }
}

/// Writes what came of a run, again and again. `None` if that did not help.
async fn persist(
    store: &Store,
    running: &Running,
    site: &'static Site,
    mut settlement: Settlement,
) -> Option<Written> {
    let Running { key, token, lease, .. } = running;
    let give_up = Instant::now() + PERSISTENCE;
    let (mut pause, mut tries) = (FIRST_PAUSE, 0_u32);
    loop {
        tries += 1;
        // A store that hangs is asked again, and knows what it was asked for.
        let until = give_up.min(Instant::now() + *lease / 3);
        match timeout_at(until, running.write(store, &settlement)).await {
            Ok(Ok(written)) => {
                store.tell(key);
                return Some(written);
            }
            Ok(Err(error)) => {
                // An outage is told of by many calls, and not each time by each.
                if tries.is_power_of_two() {
                    tell_failed(store, site, settlement.operation(), &error);
                }
                if let Settlement::Complete { result, .. } = &mut settlement {
                    result.give_way(&error);
                }
            }
            Err(_) => {}
        }
        if let Settlement::Complete { .. } = &settlement {
            // Perhaps it takes that: then nobody else runs it in the meantime.
            let _ = timeout(*lease / 3, store.renew(key, *token, *lease)).await;
        }
        let next = Instant::now() + Duration::from_nanos(between(0, nanos(pause)));
        if next >= give_up {
            tell_unrecorded(store, running, site, &settlement);
            return None;
        }
        sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE).min((*lease / 3).max(FIRST_PAUSE));
    }
}

impl Settlement {
    const fn operation(&self) -> &'static str {
        match self {
            Self::Complete { .. } => "complete",
            Self::Interrupt { .. } => "interrupt",
            Self::Release => "release",
        }
    }
}

fn tell_failed(store: &Store, site: &Site, operation: &'static str, error: &StoreError) {
    let (function, store) = (site.function(), store.name());
    telemetry::raise(&Event::StoreFailed { function, store, operation, error });
}

fn tell_unrecorded(store: &Store, running: &Running, site: &Site, settlement: &Settlement) {
    if let Settlement::Complete { .. } = settlement {
        let (function, store) = (site.function(), store.name());
        telemetry::raise(&Event::CompletionUnrecorded { function, store, key: &running.key });
    }
}

/// A tenth of the lease, at most a second, is for clocks that do not go alike, and for noticing.
fn fence(sent: u64, lease: Duration) -> u64 {
    let margin = (lease / 10).min(Duration::from_secs(1));
    sent.saturating_add(nanos(lease.saturating_sub(margin)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// How long a caller whose call has ended waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long what came of a run is tried to be written after that. A lease may be dead by then: as long as
/// nobody has taken over, it is still accepted.
const PERSISTENCE: Duration = Duration::from_secs(600);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
