use std::{
    fmt::Debug,
    future::Future,
    hash::Hash,
    mem,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use pin_project_lite::pin_project;

use super::{breaker::CircuitBreaker, core::Core, rules::Verdict, word::Permit};
use crate::{
    clock,
    deadline::{self, Cutoff},
    error::{CarriesRefusals, Error},
    fault::{Answer, Class},
    outcome::Outcome,
    refusals::{Kind, Refusals, Refuse},
    retry::RetryBudget,
    site::Site,
    telemetry::{self, Event},
};

/// The breaker that a call goes through.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    core: &'a Core,
    /// Whose breaker it is to be: it may be handed on.
    hash: u64,
}

/// The breaker itself.
#[inline]
pub fn gate(breaker: &CircuitBreaker) -> Gate<'_> {
    let core = breaker.core();
    Gate { core, hash: core.hash.load(Ordering::Acquire) }
}

/// The breaker of the key, or the one of all who find none. What somebody has forced that one to
/// do holds for every key.
#[inline]
pub fn gate_per<'a, K: Hash + Debug + ?Sized>(breaker: &'a CircuitBreaker, key: &K) -> Gate<'a> {
    let root = breaker.core();
    let keys = root.keys();
    let hash = keys.hash(key);
    match keys.find(hash, key) {
        Some(core) if !root.machine.state().is_forced() => Gate { core, hash },
        _ => gate(breaker),
    }
}

/// A breaker that outlives the statement which names it: not a `const`, not one made on the spot.
#[inline]
pub fn lasting(breaker: &CircuitBreaker) -> &CircuitBreaker {
    breaker
}

/// A handle that borrows nothing.
pub fn handle(breaker: &CircuitBreaker) -> CircuitBreaker {
    CircuitBreaker::of_core(Arc::clone(breaker.core()))
}

impl<'a> Gate<'a> {
    /// The budget of the retries of all calls that go through it.
    #[inline]
    pub fn budget(self) -> &'a RetryBudget {
        self.core.budget()
    }

    /// How much longer it refuses every call, if it does.
    pub(crate) fn open_for(self) -> Option<Duration> {
        let open_for = self.core.machine.open_for(self.core)?;
        self.is_still_the_keys().then(|| Duration::from_nanos(open_for))
    }

    /// A breaker is handed from a key that has gone quiet to another one, and that key's calls are
    /// none of the other's.
    #[inline]
    fn is_still_the_keys(self) -> bool {
        self.core.hash.load(Ordering::Acquire) == self.hash
    }
}

/// Runs `body` if the breaker admits it, and lets the breaker know what came of it.
///
/// `judge` says what an outcome means; the outcome of a refused call is what `refuse` makes of it.
#[inline]
pub fn guarded<F, J, R>(gate: Gate<'_>, body: F, judge: J, refuse: R) -> Guarded<'_, F, J, R>
where
    F: Future,
    J: Fn(&F::Output) -> Judged,
    R: Fn(Refusal) -> F::Output,
{
    Guarded { body, call: Call::new(gate), judge, refuse }
}

/// What the outcome of a function says about the dependency.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    site: &'static Site,
    verdict: Verdict,
}

/// Judges an outcome by what its error means.
///
/// That a deadline below it has cut the call off is a failure whatever `when` says of the error.
#[inline]
pub fn judged<O: Outcome, A: Answer>(
    site: &'static Site,
    outcome: &O,
    refusals: Option<&Refusals>,
    when: impl FnOnce(&O::Error) -> A,
) -> Judged {
    let verdict = match outcome.as_result() {
        Ok(_) => Verdict::Success,
        Err(_) if refusals.is_some_and(|refusals| refusals.last().is_some_and(Kind::is_late)) => {
            Verdict::Failure
        }
        Err(error) => match when(error).into_class() {
            Class::Ambiguous | Class::Throttled { .. } | Class::Transient => Verdict::Failure,
            Class::Permanent => Verdict::Healthy,
            Class::Refused { .. } => Verdict::Nothing,
        },
    };
    Judged { site, verdict }
}

/// A call that was not admitted.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    breaker: &'static str,
    retry_after: Option<Duration>,
}

impl Refuse for Refusal {
    fn kind(&self) -> Kind {
        Kind::Open
    }

    fn refuse<O: Outcome<Error: CarriesRefusals>>(self, site: &Site) -> O {
        let Self { breaker, retry_after } = self;
        let function = site.function();
        telemetry::raise(&Event::CircuitRefused { function, breaker, retry_after });
        O::from_error(CarriesRefusals::refused(Error::CircuitOpen { breaker, retry_after }))
    }
}

pin_project! {
    /// The future of [`guarded`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Guarded<'a, F, J, R> {
        #[pin]
        body: F,
        call: Call<'a>,
        // Closures over constants take no room.
        judge: J,
        refuse: R,
    }
}

/// A call, before, while and after it runs. Dropped while it runs, it gives its place back.
struct Call<'a> {
    gate: Gate<'a>,
    /// While it runs.
    permit: Option<Permit>,
    /// When it began, if slow calls count; else zero.
    began: u64,
    /// When it is cut off, as far as it has had to know.
    cutoff: Cutoff,
}

impl<F, J, R> Future for Guarded<'_, F, J, R>
where
    F: Future,
    J: Fn(&F::Output) -> Judged,
    R: Fn(Refusal) -> F::Output,
{
    type Output = F::Output;

    #[expect(clippy::inline_always, reason = "a nanosecond of the five that a call costs")]
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let call = this.call;
        if call.permit.is_none() {
            if let Err(refusal) = call.begin() {
                return Poll::Ready((this.refuse)(refusal));
            }
        }
        let unwinding = Unwinding(call);
        let polled = this.body.poll(cx);
        mem::forget(unwinding);
        match &polled {
            Poll::Pending => call.cutoff = Cutoff::ambient(),
            Poll::Ready(outcome) => call.end((this.judge)(outcome)),
        }
        polled
    }
}

impl<'a> Call<'a> {
    #[inline]
    fn new(gate: Gate<'a>) -> Self {
        Self { gate, permit: None, began: 0, cutoff: Cutoff::UNKNOWN }
    }

    #[expect(clippy::inline_always, reason = "a nanosecond of the five that a call costs")]
    #[inline(always)]
    fn begin(&mut self) -> Result<(), Refusal> {
        let core = self.gate.core;
        let admitted = core.machine.admit(core);
        // Asked after that, so that what is admitted under a key's hash is counted for that key.
        if !self.gate.is_still_the_keys() {
            self.permit = Some(self.pass(admitted.ok()));
            return Ok(());
        }
        let permit = admitted.map_err(|refused| Refusal {
            breaker: core.name,
            retry_after: refused.retry_after.map(Duration::from_nanos),
        })?;
        self.permit = Some(permit);
        if core.settings.slow_after.is_some() {
            self.began = clock::now();
        }
        Ok(())
    }

    /// Lets a call through whose breaker has just been handed to another key, as it was closed.
    #[cold]
    fn pass(&self, admitted: Option<Permit>) -> Permit {
        let core = self.gate.core;
        if let Some(permit) = admitted {
            core.machine.finish(permit, Verdict::Nothing, false, core);
        }
        Permit::UNCOUNTED
    }

    #[expect(clippy::inline_always, reason = "a nanosecond of the five that a call costs")]
    #[inline(always)]
    fn end(&mut self, Judged { site, verdict }: Judged) {
        let Some(permit) = self.permit.take() else { return };
        if verdict == Verdict::Success && self.began == 0 {
            self.gate.core.machine.succeed(permit, self.gate.core);
        } else {
            self.end_by_the_book(permit, verdict, site);
        }
    }

    #[inline(never)]
    fn end_by_the_book(&self, permit: Permit, verdict: Verdict, site: &Site) {
        let core = self.gate.core;
        let slow = self.was_slow().filter(|_| verdict != Verdict::Nothing);
        let verdict = if self.had_no_time(verdict) { Verdict::Nothing } else { verdict };
        core.machine.finish(permit, verdict, slow.is_some(), core);
        if let Some(took) = slow {
            let (function, breaker) = (site.function(), core.name);
            telemetry::raise(&Event::CallSlow { function, breaker, took });
        }
    }

    /// How long it took, if that was too long.
    fn was_slow(&self) -> Option<Duration> {
        let slow_after = self.gate.core.settings.slow_after?;
        let took = Duration::from_nanos(clock::now().saturating_sub(self.began));
        (took >= slow_after).then_some(took)
    }

    /// A call that had no time left when it came says nothing about whom it would have called.
    fn had_no_time(&self, verdict: Verdict) -> bool {
        let never_waited = self.cutoff == Cutoff::UNKNOWN;
        verdict == Verdict::Failure && never_waited && deadline::remaining() == Some(Duration::ZERO)
    }

    /// Whoever gave it up at its deadline had waited for the dependency, and in vain; whoever did so
    /// earlier had reasons of their own.
    #[cold]
    fn dropped(&self, permit: Permit) {
        let core = self.gate.core;
        if self.cutoff.has_passed() {
            core.machine.finish(permit, Verdict::Failure, self.was_slow().is_some(), core);
        } else {
            core.machine.finish(permit, Verdict::Nothing, false, core);
        }
    }
}

impl Drop for Call<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(permit) = self.permit {
            self.dropped(permit);
        }
    }
}

/// Notes a panic of the body, and only that: a call that is dropped in another one's panic has not
/// failed.
struct Unwinding<'c, 'a>(&'c mut Call<'a>);

impl Drop for Unwinding<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        let call = &mut *self.0;
        if let Some(permit) = call.permit.take() {
            let core = call.gate.core;
            core.machine.finish(permit, Verdict::Failure, false, core);
        }
    }
}
