use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Deadline,
    ambient::{self, Ends, When},
};
use crate::{
    error::{CarriesRefusals, Error},
    outcome::Outcome,
    refusals::{Kind, Refuse},
    site::Site,
    telemetry::{self, Event},
};

/// Runs `body` under a deadline. Past it, the outcome is what `refuse` makes of the refusal.
///
/// # Panics
///
/// When it first waits, outside a tokio runtime with its timer on, as [`tokio::time::sleep`] does.
#[inline]
pub fn within<'a, P, F, R>(policy: P, body: F, refuse: R) -> Within<P, F, R>
where
    P: Fn() -> &'a Deadline,
    F: Future,
    R: Fn(Refusal) -> F::Output,
{
    Within { body, clock: Clock::Unread, policy, refuse }
}

/// A deadline that passed.
#[derive(Debug)]
pub struct Refusal {
    /// The call's own limit, if it was that.
    limit: Option<Duration>,
    late: Duration,
    started: bool,
}

impl Refuse for Refusal {
    fn kind(&self) -> Kind {
        if self.started { Kind::Late } else { Kind::NotStarted }
    }

    fn refuse<O: Outcome<Error: CarriesRefusals>>(self, site: &Site) -> O {
        let (function, Self { limit, late, started }) = (site.function(), self);
        telemetry::raise(&Event::DeadlineExceeded { function, limit, late, started });
        let error = Error::DeadlineExceeded { function, limit, late, started };
        O::from_error(CarriesRefusals::refused(error))
    }
}

pin_project! {
    /// The future of [`within`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<P, F, R> {
        #[pin]
        body: F,
        #[pin]
        clock: Clock,
        // A closure over a constant takes no room.
        policy: P,
        refuse: R,
    }
}

pin_project! {
    /// When the call ends, as far as anybody has had to know.
    #[project = ClockState]
    enum Clock {
        /// Not polled.
        Unread,
        /// Without a deadline.
        Endless,
        /// The body waits, and so does the timer.
        Running { #[pin] timer: Sleep },
    }
}

impl<'a, P, F, R> Future for Within<P, F, R>
where
    P: Fn() -> &'a Deadline,
    F: Future,
    R: Fn(Refusal) -> F::Output,
{
    type Output = F::Output;

    #[expect(clippy::inline_always, reason = "three nanoseconds of the five that a call cost")]
    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let (policy, refuse) = ((this.policy)(), this.refuse);
        let ends = match this.clock.as_mut().project() {
            ClockState::Running { timer } => Ends::at(timer.deadline()),
            ClockState::Endless => Ends::NEVER,
            ClockState::Unread => match policy.inherit() {
                Ok(ends) => ends,
                Err(refusal) => return Poll::Ready(refuse(refusal)),
            },
        };

        // The body first: a result that is ready wins over a deadline that has passed.
        let handed_on = ends.earlier(policy.reserve);
        let (polled, seen) = ambient::scope(handed_on, || this.body.poll(cx));
        if polled.is_ready() {
            return polled;
        }

        if let ClockState::Unread = this.clock.as_mut().project() {
            this.clock.set(match policy.start(ends, seen) {
                Some(at) => Clock::Running { timer: sleep_until(at) },
                None => Clock::Endless,
            });
        }
        let ClockState::Running { mut timer } = this.clock.project() else {
            return Poll::Pending;
        };
        // Unconstrained: a body that has used up its task's budget must not hold the timer up.
        ready!(Pin::new(&mut unconstrained(timer.as_mut())).poll(cx));
        let limit = policy.limit.filter(|_| !ambient::ends_by(timer.deadline()));
        Poll::Ready(refuse(Refusal { limit, late: timer.deadline().elapsed(), started: true }))
    }
}

impl Deadline {
    /// The sooner of the own limit and the inherited deadline; a refusal if it has passed.
    #[inline]
    fn inherit(&self) -> Result<Ends, Refusal> {
        let inherited = ambient::current().sooner_by(self.early);
        let ends = inherited.sooner(self.limit.map_or(Ends::NEVER, Ends::after));
        if inherited.is_running() || ends == Ends::AT_ONCE {
            return self.inherit_by_the_clock(inherited);
        }
        Ok(ends)
    }

    #[inline(never)]
    fn inherit_by_the_clock(&self, inherited: Ends) -> Result<Ends, Refusal> {
        let refusal = |limit, late| Err(Refusal { limit, late, started: false });
        if self.limit == Some(Duration::ZERO) {
            return refusal(self.limit, Duration::ZERO);
        }
        let When::At(at) = inherited.when() else { return refusal(None, Duration::ZERO) };
        let now = Instant::now();
        if at <= now {
            return refusal(None, now - at);
        }
        let own = self.limit.and_then(|limit| now.checked_add(limit));
        Ok(Ends::at(own.map_or(at, |own| own.min(at))))
    }

    /// Starts the clock of a call that waits, unless something below it has asked and so started
    /// it for all of us.
    fn start(&self, ends: Ends, seen: Ends) -> Option<Instant> {
        match ends.when() {
            When::At(at) => Some(at),
            When::After(limit) => match seen.when() {
                When::At(at) => at.checked_add(limit.min(self.reserve)),
                When::After(_) | When::Never => Instant::now().checked_add(limit),
            },
            When::Never => None,
        }
    }
}
