//! How the policies of one stack say no, and let each other know that it was they who did.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

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
    /// The key says no, or its store.
    Key,
    /// A deadline has passed while the call ran.
    Late,
    /// A deadline had passed before the call began.
    NotStarted,
    /// A breaker is open: nothing was sent.
    Open,
}

impl Kind {
    /// Whether a deadline has passed.
    pub(crate) fn is_late(self) -> bool {
        matches!(self, Self::Late | Self::NotStarted)
    }
}

/// The last refusal of the policies of a stack, whatever the error looks like that carries it.
///
/// An atomic, for several futures of one call hold it; it is never contended.
#[derive(Debug, Default)]
pub struct Refusals {
    last: AtomicU8,
    /// Whether an attempt that was made again may have happened.
    doubtful: AtomicBool,
}

const NONE: u8 = 0;
/// What each kind is as a number.
const KINDS: [(Kind, u8); 4] =
    [(Kind::Key, 1), (Kind::Late, 2), (Kind::NotStarted, 3), (Kind::Open, 4)];

impl Refusals {
    /// No refusal so far.
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a refusal, and hands it on.
    pub fn note<R: Refuse>(&self, refusal: R) -> R {
        self.put(Some(refusal.kind()));
        refusal
    }

    /// Forgets it, before another attempt.
    pub(crate) fn clear(&self) {
        self.last.store(NONE, Ordering::Relaxed);
    }

    /// Notes that an attempt which is made again may have happened.
    pub(crate) fn doubt(&self) {
        self.doubtful.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }

    pub(crate) fn last(&self) -> Option<Kind> {
        let noted = self.last.load(Ordering::Relaxed);
        KINDS.iter().find(|(_, number)| *number == noted).map(|(kind, _)| *kind)
    }

    fn put(&self, kind: Option<Kind>) {
        let number = KINDS.iter().find(|(known, _)| Some(*known) == kind);
        self.last.store(number.map_or(NONE, |(_, number)| *number), Ordering::Relaxed);
    }
}
