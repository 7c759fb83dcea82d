//! The state machine: closed, open, half-open, and what moves it from one to the other.
//!
//! All that decides is one word: the state, its generation, the probes. **One lock for whoever
//! writes, none for whoever reads**: the word and its times change under the lock only, so that
//! every transition is one step; a call that is admitted while closed, one that succeeds, and one
//! that is refused while open read the word and take no lock. Nothing here knows of tokio, so that
//! a model can drive it.

use std::time::Duration;

use super::{
    ledger::Ledger,
    rules::{Change, Refused, Rules, Verdict},
    settings::{Settings, nanos},
    snapshot::{Cause, Counted, State},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError, Tally},
    window::{Counts, NEVER, Outcomes},
    word::{Permit, Word},
};

#[derive(Debug)]
pub(super) struct Machine {
    word: AtomicU64,
    /// While open: until when. While half-open: until when the probes keep their places.
    until: AtomicU64,
    /// When a success finds the window's slot full. Never, for a window of calls.
    full_at: AtomicU64,
    calls: Tally<KINDS>,
    ledger: Mutex<Ledger>,
}

impl Machine {
    /// A closed one.
    pub(super) fn new(settings: &Settings, now: u64) -> Self {
        Self {
            word: AtomicU64::new(Word::new(State::Closed).0),
            until: AtomicU64::new(0),
            full_at: AtomicU64::new(0),
            calls: Tally::new(),
            ledger: Mutex::new(Ledger::new(settings, now)),
        }
    }

    #[expect(clippy::inline_always, reason = "a nanosecond of the five that a call costs")]
    #[inline(always)]
    pub(super) fn admit(&self, by: &impl Rules) -> Result<Permit, Refused> {
        let word = self.word();
        match word.permit_if_closed() {
            Some(permit) => Ok(permit),
            None => self.admit_unless_open(word, by),
        }
    }

    #[inline(never)]
    fn admit_unless_open(&self, word: Word, by: &impl Rules) -> Result<Permit, Refused> {
        let refused = match word.state() {
            State::ForcedOpen => Some(Refused { retry_after: None }),
            State::Open => {
                let left = self.left(by);
                (left > 0).then_some(Refused { retry_after: Some(left) })
            }
            State::HalfOpen if !word.has_room(by.settings().probes) => {
                (self.left(by) > 0).then_some(Refused { retry_after: None })
            }
            _ => None,
        };
        match refused {
            Some(refused) => {
                self.calls.add_one(REFUSED);
                Err(refused)
            }
            None => self.admit_a_probe(by),
        }
    }

    /// How long it is until `until`. The coarse clock will do but for the end: who has waited for
    /// that comes by an exact one.
    fn left(&self, by: &impl Rules) -> u64 {
        // Stored before the word was: at least as new as that.
        let until = self.until.load(Ordering::Relaxed);
        match until.saturating_sub(by.now()) {
            left if left > LONGEST_TICK => left,
            _ => until.saturating_sub(by.exact_now()),
        }
    }

    /// Admits by what the lock's holder finds, as others may have come first.
    #[cold]
    #[inline(never)]
    fn admit_a_probe(&self, by: &impl Rules) -> Result<Permit, Refused> {
        let (now, ends) = (by.exact_now(), by.ends());
        let mut ledger = self.lock();
        let word = self.word();
        let until = self.until.load(Ordering::Relaxed);
        let (admitted, cause) = match word.state() {
            State::Closed | State::ForcedClosed | State::Disabled => return Ok(word.permit()),
            State::Open if now >= until => (word.next(State::HalfOpen), Some(Cause::OpenTimeOver)),
            State::HalfOpen if word.has_room(by.settings().probes) => (word, None),
            // Those that run have had their time. What comes of them still counts, but others may
            // run too; at longer and longer intervals, as after a probe that has failed.
            State::HalfOpen if now >= until => {
                ledger.failed_probes = ledger.failed_probes.saturating_add(1);
                (word.next_round(), Some(Cause::ProbeLost))
            }
            state => {
                drop(ledger);
                self.calls.add_one(REFUSED);
                let left = (state == State::Open).then(|| until - now);
                return Err(Refused { retry_after: left });
            }
        };
        let change = cause.map(|cause| {
            ledger.moved(now, word.state());
            Change { from: word.state(), to: State::HalfOpen, cause, open_for: None }
        });
        // The places are kept until the last of the probes has had its time.
        let lease = now.saturating_add(by.settings().lease(ledger.failed_probes, now, ends));
        let held = if change.is_some() { lease } else { until.max(lease) };
        self.until.store(held, Ordering::Relaxed);
        self.publish(admitted.with_probe());
        drop(ledger);
        if let Some(change) = change {
            by.tell(change);
        }
        Ok(admitted.permit())
    }

    /// Counts the success of a call that was not slow. If it meets a transition it is counted before
    /// or after, and neither opens nor closes anything.
    #[inline]
    pub(super) fn succeed(&self, permit: Permit, by: &impl Rules) {
        let word = permit.word();
        if word.state() != State::Closed {
            self.finish(permit, Verdict::Success, false, by);
        } else if self.word().same_generation(word) {
            self.count_success(by);
        }
    }

    #[inline]
    fn count_success(&self, by: &impl Rules) {
        let full_at = self.full_at.load(Ordering::Relaxed);
        if full_at != NEVER {
            let now = by.now();
            if now >= full_at {
                self.turn(now);
            }
        }
        self.calls.add_one(SUCCESS);
    }

    /// Moves the window on, unless somebody is about to.
    #[cold]
    #[inline(never)]
    fn turn(&self, now: u64) {
        if let Ok(mut ledger) = self.ledger.try_lock() {
            self.turn_locked(&mut ledger, now);
        }
    }

    fn turn_locked(&self, ledger: &mut Ledger, now: u64) {
        let full_at = ledger.outcomes.turn(self.calls.total(SUCCESS), now);
        self.full_at.store(full_at, Ordering::Relaxed);
    }

    #[inline(never)]
    pub(super) fn finish(&self, permit: Permit, verdict: Verdict, slow: bool, by: &impl Rules) {
        let word = permit.word();
        let counts = verdict == Verdict::Failure || slow && verdict == Verdict::Success;
        let is_probe = word.state() == State::HalfOpen;
        if word.state() == State::Disabled || !is_probe && verdict == Verdict::Nothing {
            return;
        }
        if !is_probe && !counts {
            if self.word().same_generation(word) {
                match verdict {
                    Verdict::Success => self.count_success(by),
                    _ => self.calls.add_one(IGNORED),
                }
            }
            return;
        }
        let now = by.now();
        let mut ledger = self.lock();
        // What began in an earlier state says nothing about this one.
        let current = self.word();
        if !current.same_generation(word) {
            return;
        }
        match verdict {
            Verdict::Success => self.calls.add_one(SUCCESS),
            Verdict::Failure => ledger.failures += 1,
            Verdict::Healthy => self.calls.add_one(IGNORED),
            Verdict::Nothing => {}
        }
        ledger.slow += u64::from(slow && counts);
        let change = if is_probe {
            self.judge_probe(&mut ledger, (current, permit), verdict, slow, by, now)
        } else {
            self.judge_call(&mut ledger, current, verdict, slow, by, now)
        };
        drop(ledger);
        if let Some(change) = change {
            by.tell(change);
        }
    }

    fn judge_call(
        &self,
        ledger: &mut Ledger,
        word: Word,
        verdict: Verdict,
        slow: bool,
        by: &impl Rules,
        now: u64,
    ) -> Option<Change> {
        let failed = verdict == Verdict::Failure;
        let successes = self.calls.total(SUCCESS);
        self.turn_locked(ledger, now);
        ledger.outcomes.add(failed, slow, successes);
        if failed {
            let alone = ledger.successes_then != successes;
            ledger.in_a_row = if alone { 1 } else { ledger.in_a_row.saturating_add(1) };
            ledger.successes_then = successes;
        }
        if word.state() == State::ForcedClosed {
            return None;
        }
        let cause = ledger.reason_to_open(by.settings(), successes)?;
        Some(self.open(ledger, word, cause, by, now))
    }

    fn judge_probe(
        &self,
        ledger: &mut Ledger,
        (word, permit): (Word, Permit),
        verdict: Verdict,
        slow: bool,
        by: &impl Rules,
        now: u64,
    ) -> Option<Change> {
        // A probe that has lost its place has none to leave.
        let left = if word.same_round(permit.word()) { word.without_probe() } else { word };
        match verdict {
            Verdict::Nothing => {
                self.publish(left);
                None
            }
            Verdict::Success | Verdict::Healthy if !slow => {
                let word = left.with_success();
                if word.succeeded() < u64::from(by.settings().probes) {
                    self.publish(word);
                    return None;
                }
                let cause = Cause::ProbesSucceeded;
                Some(self.move_to(ledger, word, State::Closed, cause, by, now))
            }
            _ => {
                ledger.failed_probes = ledger.failed_probes.saturating_add(1);
                Some(self.open(ledger, word, Cause::ProbeFailed, by, now))
            }
        }
    }

    fn open(
        &self,
        ledger: &mut Ledger,
        word: Word,
        cause: Cause,
        by: &impl Rules,
        now: u64,
    ) -> Change {
        let open_for = spread(by.settings().open_time(ledger.failed_probes), by.spread());
        self.until.store(now.saturating_add(open_for), Ordering::Relaxed);
        ledger.opened += 1;
        let change = self.move_to(ledger, word, State::Open, cause, by, now);
        Change { open_for: Some(open_for), ..change }
    }

    /// The one way from state to state, but for that of the probes.
    fn move_to(
        &self,
        ledger: &mut Ledger,
        word: Word,
        to: State,
        cause: Cause,
        by: &impl Rules,
        now: u64,
    ) -> Change {
        let from = word.state();
        ledger.moved(now, from);
        if matches!(to, State::Closed | State::ForcedClosed) {
            let successes = self.calls.total(SUCCESS);
            ledger.outcomes = Outcomes::new(by.settings(), successes, now);
            ledger.in_a_row = 0;
            ledger.failed_probes = 0;
            self.turn_locked(ledger, now);
        }
        self.publish(word.next(to));
        Change { from, to, cause, open_for: None }
    }

    /// Makes it as new for another key, if it is closed. What runs for the former one no longer
    /// counts.
    pub(super) fn renew(&self, by: &impl Rules) -> bool {
        let now = by.now();
        let mut ledger = self.lock();
        let word = self.word();
        let is_closed = word.state() == State::Closed;
        if is_closed {
            self.move_to(&mut ledger, word, State::Closed, Cause::ByHand, by, now);
            ledger.start_anew([SUCCESS, REFUSED, IGNORED].map(|kind| self.calls.total(kind)));
        }
        is_closed
    }

    /// Moves it by hand.
    pub(super) fn force(&self, to: State, by: &impl Rules) {
        let now = by.now();
        let mut ledger = self.lock();
        let change = self.move_to(&mut ledger, self.word(), to, Cause::ByHand, by, now);
        drop(ledger);
        if change.from != change.to {
            by.tell(change);
        }
    }

    #[inline]
    pub(super) fn state(&self) -> State {
        self.word().state()
    }

    /// How much longer it refuses every call, if it does: no longer, perhaps, while it is probed.
    pub(super) fn open_for(&self, by: &impl Rules) -> Option<u64> {
        let word = self.word();
        match word.state() {
            State::ForcedOpen => Some(u64::MAX),
            State::Open => Some(self.left(by)),
            State::HalfOpen if !word.has_room(by.settings().probes) => Some(self.left(by)),
            _ => None,
        }
    }

    /// How many calls have been admitted or refused so far, give or take those that run.
    pub(super) fn activity(&self) -> u64 {
        let [successes, refused, ignored] =
            [SUCCESS, REFUSED, IGNORED].map(|k| self.calls.total(k));
        successes + refused + ignored + self.lock().failures
    }

    pub(super) fn counted(&self, now: u64) -> Counted {
        let mut ledger = self.lock();
        let successes = self.calls.total(SUCCESS);
        self.turn_locked(&mut ledger, now);
        let Counts { calls, failures, slow } = ledger.outcomes.counts(successes);
        let state = self.word().state();
        let mut time_in = ledger.time_in;
        time_in.add(state, now.saturating_sub(ledger.since));
        let until = self.until.load(Ordering::Relaxed);
        Counted {
            state,
            in_state_for: Duration::from_nanos(now.saturating_sub(ledger.since)),
            time_in,
            retry_after: (state == State::Open)
                .then(|| Duration::from_nanos(until.saturating_sub(now))),
            calls_in_window: calls,
            failures_in_window: failures,
            slow_in_window: slow,
            failures_in_a_row: if ledger.successes_then == successes { ledger.in_a_row } else { 0 },
            successes: ledger.since_start(SUCCESS, successes),
            failures: ledger.failures,
            slow: ledger.slow,
            ignored: ledger.since_start(IGNORED, self.calls.total(IGNORED)),
            refused: ledger.since_start(REFUSED, self.calls.total(REFUSED)),
            opened: ledger.opened,
        }
    }

    #[inline]
    fn word(&self) -> Word {
        // Acquire: with the word comes what was stored before it.
        Word(self.word.load(Ordering::Acquire))
    }

    /// Shows readers what the lock's holder has decided.
    fn publish(&self, word: Word) {
        self.word.store(word.0, Ordering::Release);
    }

    /// Nothing in here panics while it holds the lock, and if it did, the next would go on.
    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const SUCCESS: usize = 0;
const REFUSED: usize = 1;
const IGNORED: usize = 2;
pub(super) const KINDS: usize = 3;

/// The longest tick that a coarse clock has, and a bit more, in nanoseconds.
const LONGEST_TICK: u64 = 20_000_000;

/// A tenth more or less, so that a fleet which opened together does not probe together.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "of a time, to within a microsecond a day; a float saturates"
)]
fn spread(time: Duration, by: f64) -> u64 {
    (nanos(time) as f64 * (1.0 + 0.1 * by)) as u64
}
