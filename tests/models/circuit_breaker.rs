// What is watched, and not modelled, is std's.
use std::{
    sync::{Arc, Mutex, atomic::AtomicUsize},
    time::Duration,
};

use loom::{model::Builder, thread};

use self::{
    machine::Machine,
    rules::{Change, Rules, Verdict},
    settings::Settings,
    snapshot::{Cause, State},
    sync::Ordering,
    word::Permit,
};

#[path = "../../runtime/src/circuit_breaker/ledger.rs"]
mod ledger;
#[expect(dead_code, reason = "a model uses what it is about")]
#[path = "../../runtime/src/circuit_breaker/machine.rs"]
mod machine;
#[path = "../../runtime/src/circuit_breaker/rules.rs"]
mod rules;
#[expect(dead_code, unreachable_pub, reason = "public in the runtime, which uses all of it")]
#[path = "../../runtime/src/circuit_breaker/settings.rs"]
mod settings;
#[expect(dead_code, unreachable_pub, reason = "public in the runtime, which uses all of it")]
#[path = "../../runtime/src/circuit_breaker/snapshot.rs"]
mod snapshot;
#[path = "../../runtime/src/circuit_breaker/window.rs"]
mod window;
#[expect(dead_code, reason = "a model uses what it is about")]
#[path = "../../runtime/src/circuit_breaker/word.rs"]
mod word;

/// In place of the runtime's module of that name.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    };

    /// Counts as the runtime's does, on one line: its lines are no matter of the machine's.
    #[derive(Debug)]
    pub(super) struct Tally<const KINDS: usize>([AtomicU64; KINDS]);

    impl<const KINDS: usize> Tally<KINDS> {
        pub(super) fn new() -> Self {
            Self([(); KINDS].map(|()| AtomicU64::new(0)))
        }

        pub(super) fn add_one(&self, kind: usize) {
            self.0[kind].fetch_add(1, Ordering::Relaxed);
        }

        pub(super) fn total(&self, kind: usize) -> u64 {
            self.0[kind].load(Ordering::Relaxed)
        }
    }
}

/// A machine among threads, each of which has its own idea of the time.
#[derive(Clone)]
struct Breaker {
    machine: Arc<Machine>,
    settings: Settings,
    now: u64,
    told: Arc<Mutex<Vec<Change>>>,
}

impl Breaker {
    /// Opens at the second failure, for a second, exactly.
    fn new(probes: u8) -> Self {
        let settings = Settings {
            min_calls: 2,
            open_for: Duration::from_secs(1),
            max_open_for: Duration::from_secs(1),
            probes,
            ..Settings::new()
        };
        let machine = Arc::new(Machine::new(&settings, 0));
        Self { machine, settings, now: 0, told: Arc::default() }
    }

    fn opened(probes: u8) -> Self {
        let breaker = Self::new(probes);
        for _ in 0..2 {
            let permit = breaker.admit().expect("it is closed");
            breaker.finish(permit, Verdict::Failure);
        }
        assert_eq!(breaker.machine.state(), State::Open);
        breaker
    }

    /// The same breaker, seen so many seconds later.
    fn after(&self, seconds: u64) -> Self {
        Self { now: self.now + seconds * SECOND, ..self.clone() }
    }

    fn admit(&self) -> Option<Permit> {
        self.machine.admit(self).ok()
    }

    fn finish(&self, permit: Permit, verdict: Verdict) {
        match verdict {
            Verdict::Success => self.machine.succeed(permit, self),
            verdict => self.machine.finish(permit, verdict, false, self),
        }
    }

    fn told(&self) -> Vec<(State, State, Cause)> {
        let told = self.told.lock().expect("no panic");
        told.iter().map(|change| (change.from, change.to, change.cause)).collect()
    }
}

impl Rules for Breaker {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn exact_now(&self) -> u64 {
        self.now
    }

    fn spread(&self) -> f64 {
        0.0
    }

    fn ends(&self) -> Option<u64> {
        None
    }

    fn tell(&self, change: Change) {
        self.told.lock().expect("no panic").push(change);
    }
}

const SECOND: u64 = 1_000_000_000;

fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    // What goes wrong needs few switches in the wrong places; each more takes ten times as long.
    builder.preemption_bound.get_or_insert(3);
    builder.check(check);
}

fn together<const N: usize>(threads: [Box<dyn FnOnce() + Send>; N]) {
    let threads = threads.map(|run| thread::spawn(run));
    for thread in threads {
        thread.join().expect("no panic");
    }
}

#[test]
fn never_more_probes_at_a_time_than_allowed() {
    for probes in [1, 2] {
        model(move || {
            let breaker = Breaker::opened(probes).after(1);
            let running = Arc::new(AtomicUsize::new(0));
            let probe = |verdict| -> Box<dyn FnOnce() + Send> {
                let (breaker, running) = (breaker.clone(), running.clone());
                Box::new(move || {
                    let Some(permit) = breaker.admit() else { return };
                    let before = running.fetch_add(1, Ordering::SeqCst);
                    // Once it has closed, anyone may run.
                    let closed = breaker.machine.state() == State::Closed;
                    assert!(closed || before < usize::from(probes), "{} at once", before + 1);
                    running.fetch_sub(1, Ordering::SeqCst);
                    breaker.finish(permit, verdict);
                })
            };
            together([probe(Verdict::Nothing), probe(Verdict::Success), probe(Verdict::Nothing)]);
        });
    }
}

#[test]
fn a_place_that_is_given_back_can_be_taken() {
    model(|| {
        let breaker = Breaker::opened(1).after(1);
        let come_and_go = || -> Box<dyn FnOnce() + Send> {
            let breaker = breaker.clone();
            Box::new(move || {
                if let Some(permit) = breaker.admit() {
                    breaker.finish(permit, Verdict::Nothing);
                }
            })
        };
        together([come_and_go(), come_and_go(), come_and_go()]);
        assert_eq!(breaker.machine.state(), State::HalfOpen);
        let permit = breaker.admit().expect("nobody holds the place");
        breaker.finish(permit, Verdict::Success);
        assert_eq!(breaker.machine.state(), State::Closed);
    });
}

#[test]
fn failures_that_meet_open_it_once() {
    model(|| {
        let breaker = Breaker::new(1);
        let fail = || -> Box<dyn FnOnce() + Send> {
            let breaker = breaker.clone();
            Box::new(move || {
                if let Some(permit) = breaker.admit() {
                    breaker.finish(permit, Verdict::Failure);
                }
            })
        };
        together([fail(), fail(), fail()]);
        assert_eq!(breaker.machine.state(), State::Open);
        assert_eq!(breaker.told(), [(State::Closed, State::Open, Cause::FailureRate)]);
        assert_eq!(breaker.machine.counted(0).opened, 1);
    });
}

/// Whoever sees it open sees for how long: the word never comes before its time.
#[test]
fn nobody_probes_before_its_time() {
    model(|| {
        let breaker = Breaker::new(1);
        let permits = [(); 2].map(|()| breaker.admit().expect("it is closed"));
        let open: Box<dyn FnOnce() + Send> = {
            let breaker = breaker.clone();
            Box::new(move || {
                for permit in permits {
                    breaker.finish(permit, Verdict::Failure);
                }
            })
        };
        let come = || -> Box<dyn FnOnce() + Send> {
            let breaker = breaker.clone();
            Box::new(move || match breaker.machine.admit(&breaker) {
                Ok(permit) => breaker.finish(permit, Verdict::Nothing),
                Err(refused) => assert_eq!(refused.retry_after, Some(SECOND)),
            })
        };
        together([open, come(), come()]);
        assert_eq!(breaker.told(), [(State::Closed, State::Open, Cause::FailureRate)]);
    });
}

#[test]
fn a_verdict_of_an_earlier_state_changes_nothing() {
    for verdict in [Verdict::Failure, Verdict::Success, Verdict::Healthy, Verdict::Nothing] {
        model(move || {
            let breaker = Breaker::new(1);
            let late = [(); 2].map(|()| breaker.admit().expect("it is closed"));
            let permits = [(); 2].map(|()| breaker.admit().expect("it is closed"));
            for permit in permits {
                breaker.finish(permit, Verdict::Failure);
            }
            let breaker = breaker.after(1);
            // It opens, is probed, and closes, while what began before comes in.
            let recover: Box<dyn FnOnce() + Send> = {
                let breaker = breaker.clone();
                Box::new(move || {
                    let probe = breaker.admit().expect("its time is over");
                    breaker.finish(probe, Verdict::Success);
                })
            };
            let come_late: Box<dyn FnOnce() + Send> = {
                let breaker = breaker.clone();
                Box::new(move || {
                    for permit in late {
                        breaker.finish(permit, verdict);
                    }
                })
            };
            together([recover, come_late]);
            assert_eq!(breaker.machine.state(), State::Closed);
            assert_eq!(breaker.told().len(), 3, "{:?}", breaker.told());
            let counted = breaker.machine.counted(breaker.now);
            assert_eq!((counted.failures, counted.failures_in_window), (2, 0));
            // But for a success, which may be counted on either side of the transition.
            let most = if verdict == Verdict::Success { 2 } else { 0 };
            assert!(counted.calls_in_window <= most, "{counted:?}");
        });
    }
}

/// What becomes of a probe that has lost its place is still the dependency's word; but it frees no
/// place that another one holds.
#[test]
fn a_probe_that_has_lost_its_place_has_none_to_leave() {
    model(|| {
        let breaker = Breaker::opened(1).after(1);
        let hung = breaker.admit().expect("its time is over");
        let breaker = breaker.after(1);
        let take_its_place: Box<dyn FnOnce() + Send> = {
            let breaker = breaker.clone();
            Box::new(move || {
                let _holds_it = breaker.admit().expect("the place has been held long enough");
            })
        };
        let leave: Box<dyn FnOnce() + Send> = {
            let breaker = breaker.clone();
            Box::new(move || breaker.finish(hung, Verdict::Nothing))
        };
        together([take_its_place, leave]);
        assert!(breaker.admit().is_none(), "{:?}", breaker.told());
    });
}

#[test]
fn a_probe_that_has_lost_its_place_still_tells() {
    model(|| {
        let breaker = Breaker::opened(1).after(1);
        let slow = breaker.admit().expect("its time is over");
        let breaker = breaker.after(1);
        let other: Box<dyn FnOnce() + Send> = {
            let breaker = breaker.clone();
            Box::new(move || {
                if let Some(probe) = breaker.admit() {
                    breaker.finish(probe, Verdict::Nothing);
                }
            })
        };
        let succeed: Box<dyn FnOnce() + Send> = {
            let breaker = breaker.clone();
            Box::new(move || breaker.finish(slow, Verdict::Success))
        };
        together([other, succeed]);
        assert_eq!(breaker.machine.state(), State::Closed);
    });
}
