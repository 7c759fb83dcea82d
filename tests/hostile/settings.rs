//! Every setting in every form.

use ::sturdy::{deadline, retry, retry::RetryBudget as Allowance, retry::Retrying as Trying};

#[allow(unused_imports)]
use super::names::{macros::*, methods::*, prelude::*};
use super::{
    names::{Bad, Good, Length, List, Number, Slice, Span, Text, Truth},
    trouble::{Answer, Trouble},
};

static ALLOWANCE: Allowance = Allowance::new();
const MAX: Number = 4;
const LIMIT: Span = Span::from_secs(3);

/// Sets all that can be set by a literal.
#[deadline("20s", reserve = "50ms", crate = ::sturdy)]
#[retry(
    max = 4, backoff = "exp", base = "5ms", factor = 1.5, cap = "1s", jitter = "equal",
    budget = ALLOWANCE, safe
)]
#[deadline("4s")]
pub async fn literals() -> Answer<Number> {
    Bad(Trouble::Busy)
}

/// Sets all that can be set by an expression, and asks a closure.
#[deadline(LIMIT + LIMIT, crate = ::sturdy)]
#[retry(
    max = MAX,
    backoff = ::sturdy::retry::Backoff::Linear,
    base = Span::from_millis(2),
    cap = LIMIT,
    jitter = ::sturdy::retry::Jitter::None,
    when = |trouble: &Trouble| *trouble == Trouble::Busy,
    when_ok = |number| *number == 0,
    budget = none,
    on_retry = note,
)]
#[deadline(LIMIT, reserve = LIMIT / 2)]
pub async fn expressions(numbers: &[::std::sync::atomic::AtomicU32]) -> Answer<Number> {
    let last =
        numbers.iter().map(|number| number.fetch_add(1, ::std::sync::atomic::Ordering::Relaxed));
    Good(last.sum())
}

fn note(trying: &Trying<'_, Answer<Number>>) {
    ::std::assert!(trying.attempt < MAX);
}

/// Takes copies.
#[deadline(crate = ::sturdy)]
#[cfg_attr(all(), retry(clone(text, bounds), when = any, base = "0s"))]
pub async fn clones(
    text: Text,
    bounds: (Number, Number),
    mut items: List<Number>,
) -> Answer<Length> {
    items.push(bounds.0);
    let bytes = text.into_bytes();
    match bytes.len() {
        1 => Good(items.len()),
        _ => Bad(Trouble::Lost),
    }
}

/// Owns its settings.
#[derive(::std::fmt::Debug)]
#[non_exhaustive]
pub struct Settings {
    allowance: Allowance,
    limit: Span,
    /// How often it may be asked, and more each time.
    pub(crate) max: Number,
}

impl Settings {
    /// Asks twice at first.
    #[must_use]
    pub const fn twice() -> Self {
        Self { allowance: Allowance::new(), limit: LIMIT, max: 2 }
    }

    /// Asks itself.
    #[deadline(self.limit, crate = ::sturdy)]
    #[retry(max = self.max, budget = self.allowance, when = Self::passes, when_ok = |&early| early)]
    pub async fn ask(&mut self, of: &Slice) -> Answer<Truth> {
        self.max += 1;
        Good(of.is_empty())
    }

    const fn passes(trouble: &Trouble) -> Truth {
        ::std::matches!(trouble, Trouble::Busy)
    }
}
