//! How the policies of one stack say no, and let each other know that it was they who did.

use std::sync::atomic::{AtomicU8, Ordering};

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
    Open,
}

/// The last refusal of the policies of a stack, whatever the error looks like that carries it.
///
/// An atomic, for several futures of one call hold it; it is never contended.
#[derive(Debug, Default)]
pub struct Refusals(AtomicU8);

const NONE: u8 = 0;
const LATE: u8 = 1;
const OPEN: u8 = 2;

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
            Kind::Open => OPEN,
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
            LATE => Some(Kind::Late),
            OPEN => Some(Kind::Open),
            _ => None,
        }
    }
}
