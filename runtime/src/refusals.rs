//! How the policies of one stack say no, and let each other know that it was they who did.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{error::CarriesRefusals, outcome::Outcome, site::Site};

/// A policy's no, on its way to an outcome.
pub trait Refuse {
    /// What the policies above have to know of it.
    #[doc(hidden)]
    fn kind(&self) -> Kind;

    /// Tells of it, and makes an outcome of it.
    fn refuse<O: Outcome<Error: CarriesRefusals>>(self, site: &Site) -> O;
}

/// Makes an outcome of a refusal.
///
/// Expansions call it in a closure, `|refusal| refused(&SITE, refusal)`: so an error type that
/// cannot carry the refusal is told of once, at the return type, and not again at the await.
#[cold]
pub fn refused<O, R>(site: &Site, refusal: R) -> O
where
    O: Outcome<Error: CarriesRefusals>,
    R: Refuse,
{
    refusal.refuse(site)
}

/// What kind of a no it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A deadline has passed.
    Late,
    /// A breaker is open: nothing was sent.
    Open {
        /// When it may admit a call again, if that is known.
        retry_after: Option<Duration>,
    },
}

/// The last refusal of the policies below, whatever `when` may think of the error that carries it.
///
/// An atomic, for several futures of one call hold it; it is never contended.
#[derive(Debug, Default)]
pub struct Refusals(AtomicU64);

const NONE: u64 = 0;
const LATE: u64 = 1;
const OPEN: u64 = 2;
/// From here on: open for so many nanoseconds.
const OPEN_FOR: u64 = 3;

impl Refusals {
    /// No refusal so far.
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a refusal, and hands it on.
    pub fn note<R: Refuse>(&self, refusal: R) -> R {
        let noted = match refusal.kind() {
            Kind::Late => LATE,
            Kind::Open { retry_after: None } => OPEN,
            Kind::Open { retry_after: Some(wait) } => {
                OPEN_FOR.saturating_add(wait.as_nanos().try_into().unwrap_or(u64::MAX))
            }
        };
        self.0.store(noted, Ordering::Relaxed);
        refusal
    }

    /// Forgets it, before another attempt.
    pub(crate) fn clear(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    pub(crate) fn last(&self) -> Option<Kind> {
        match self.0.load(Ordering::Relaxed) {
            NONE => None,
            LATE => Some(Kind::Late),
            OPEN => Some(Kind::Open { retry_after: None }),
            noted => Some(Kind::Open { retry_after: Some(Duration::from_nanos(noted - OPEN_FOR)) }),
        }
    }
}
