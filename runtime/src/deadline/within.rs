use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use tokio::{
    task::coop::{Unconstrained, unconstrained},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    Deadline,
    ambient::{self, Ends},
};
use crate::{
    error::{CarriesRefusals, Error},
    outcome::Outcome,
    site::Site,
    telemetry::{self, Event},
};

/// Runs `body` under a deadline. Past it, the outcome is what `refuse` makes of the refusal.
///
/// # Panics
///
/// When it first waits, outside a tokio runtime with its timer on, as [`tokio::time::sleep`] does.
#[inline]
pub fn within<'a, F, R>(
    policy: &'a Deadline,
    site: &'static Site,
    body: F,
    refuse: R,
) -> Within<'a, F, R>
where
    F: Future,
    R: Fn(Error) -> F::Output,
{
    Within { body, timer: None, ends: None, policy, site, refuse }
}

/// Makes an outcome of a refusal.
///
/// Expansions call it in a closure, `|refusal| refused(refusal)`: so an error type that cannot carry
/// the refusal is told of once, at the return type, and not again where the future is awaited.
pub fn refused<O>(refusal: Error) -> O
where
    O: Outcome<Error: CarriesRefusals>,
{
    O::from_error(CarriesRefusals::refused(refusal))
}

pin_project! {
    /// The future of [`within`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Within<'a, F, R> {
        #[pin]
        body: F,
        // Unconstrained: a body that has used up its task's budget must not hold the timer up.
        #[pin]
        timer: Option<Unconstrained<Sleep>>,
        // `None` until the first poll.
        ends: Option<Ends>,
        policy: &'a Deadline,
        site: &'static Site,
        refuse: R,
    }
}

impl<F, R> Future for Within<'_, F, R>
where
    F: Future,
    R: Fn(Error) -> F::Output,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let ends = match *this.ends {
            Some(ends) => ends,
            None => match this.policy.inherit() {
                Ok(ends) => ends,
                Err(late) => return Poll::Ready((this.refuse)(refusal(this.site, late, false))),
            },
        };

        // The body first: a result that is ready wins over a deadline that has passed.
        let handed_on = ends.earlier(this.policy.reserve);
        let (polled, seen) = ambient::scope(handed_on, || this.body.poll(cx));
        if polled.is_ready() {
            return polled;
        }

        if this.timer.is_none() {
            let ends = match (ends, seen) {
                // Something below has asked and started the clock, for all of us.
                (Ends::After(limit), Ends::At(at)) => {
                    let back = limit.min(this.policy.reserve);
                    at.checked_add(back).map_or(Ends::Never, Ends::At)
                }
                _ => ends.start(),
            };
            *this.ends = Some(ends);
            match ends {
                Ends::At(at) => this.timer.set(Some(unconstrained(sleep_until(at)))),
                Ends::After(_) | Ends::Never => return Poll::Pending,
            }
        }
        let Some(timer) = this.timer.as_pin_mut() else { return Poll::Pending };
        ready!(timer.poll(cx));
        let late = match *this.ends {
            Some(Ends::At(at)) => at.elapsed(),
            _ => Duration::ZERO,
        };
        Poll::Ready((this.refuse)(refusal(this.site, late, true)))
    }
}

impl Deadline {
    /// The sooner of the own limit and the inherited deadline; how late it is if that has passed.
    #[inline]
    fn inherit(&self) -> Result<Ends, Duration> {
        match (ambient::current(), self.limit) {
            (Ends::At(inherited), limit) => {
                let now = Instant::now();
                let own = limit.and_then(|limit| now.checked_add(limit));
                let at = own.map_or(inherited, |own| own.min(inherited));
                if at > now { Ok(Ends::At(at)) } else { Err(now - at) }
            }
            (Ends::After(inherited), limit) => {
                Ok(Ends::After(limit.map_or(inherited, |limit| limit.min(inherited))))
            }
            (Ends::Never, Some(limit)) => Ok(Ends::After(limit)),
            (Ends::Never, None) => Ok(Ends::Never),
        }
        .and_then(|ends| match ends {
            Ends::After(Duration::ZERO) => Err(Duration::ZERO),
            ends => Ok(ends),
        })
    }
}

#[cold]
#[inline(never)]
fn refusal(site: &Site, late: Duration, started: bool) -> Error {
    let function = site.function();
    telemetry::raise(&Event::DeadlineExceeded { function, late, started });
    Error::DeadlineExceeded { function, late, started }
}
