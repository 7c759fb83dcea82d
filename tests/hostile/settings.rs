//! Every setting in every form.

use ::sturdy::{
    circuit_breaker, circuit_breaker::CircuitBreaker as Breaker, deadline, fallback, retry,
    retry::RetryBudget as Allowance, retry::Retrying as Trying,
};

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

/// Sets all of a breaker of its own.
#[circuit_breaker(
    failure_rate = 1, window = "20s", min_calls = 5, open_for = "1s", max_open_for = "2s",
    probes = 2, slow_after = "5s", slow_rate = 0.9, per = (name, number % 2), max_keys = 100,
    when = |trouble: &Trouble| *trouble == Trouble::Busy, crate = ::sturdy
)]
pub async fn broken(name: &Slice, number: Number) -> Answer<Number> {
    Good(number + Number::from(name.is_empty()))
}

static BREAKER: Breaker = Breaker::new("shared").consecutive(CONSECUTIVE);
const CONSECUTIVE: Number = 1;

/// Fails after the first time.
#[retry(max = 2, when = any, crate = ::sturdy)]
#[circuit_breaker(with = BREAKER, when = Settings::passes)]
pub async fn shared(number: Number) -> Answer<Number> {
    BREAKER.force_open();
    Good(number)
}

/// Has two who stand in.
#[fallback(fails, succeeds, crate = ::sturdy)]
#[retry(max = 2, base = "0s")]
pub async fn falls_back(name: &Slice, mut length: Length, good: Truth) -> Answer<Length> {
    length += 1;
    if good { Good(name.len() + length) } else { Bad(Trouble::Busy) }
}

const fn fails(_: &Slice, _: Length, _: Truth) -> Answer<Length> {
    Bad(Trouble::Busy)
}

fn succeeds(name: &Slice, length: Length, _: Truth, trouble: &Trouble) -> Length {
    ::std::assert_eq!(*trouble, Trouble::Busy);
    name.len() + length
}

/// Remembers.
#[fallback(stale = "5m", key = name, expr = 1, on = "failed", crate = ::sturdy)]
#[circuit_breaker]
pub async fn stale(name: &Slice, number: ::std::option::Option<Number>) -> Answer<Number> {
    number.filter(|_| !name.is_empty()).ok_or(Trouble::Broken(1))
}

/// Owns its settings.
#[derive(::std::fmt::Debug)]
#[non_exhaustive]
pub struct Settings {
    allowance: Allowance,
    breaker: Breaker,
    limit: Span,
    /// How often it may be asked, and more each time.
    pub(crate) max: Number,
}

impl Settings {
    /// Asks twice at first.
    #[must_use]
    pub const fn twice() -> Self {
        Self { allowance: Allowance::new(), breaker: Breaker::new("own"), limit: LIMIT, max: 2 }
    }

    /// Asks itself.
    #[deadline(self.limit, crate = ::sturdy)]
    #[retry(max = self.max, budget = self.allowance, when = Self::passes, when_ok = |&early| early)]
    pub async fn ask(&mut self, of: &Slice) -> Answer<Truth> {
        self.max += 1;
        Good(of.is_empty())
    }

    /// Has one of its own who stands in.
    #[fallback(Self::most, crate = ::sturdy)]
    #[circuit_breaker(with = self.breaker)]
    pub async fn stands_in(&mut self, number: Number) -> Answer<Number> {
        Bad(Trouble::Broken(number))
    }

    const fn most(&mut self, _: Number) -> Number {
        self.max -= 1;
        self.max
    }

    const fn passes(trouble: &Trouble) -> Truth {
        ::std::matches!(trouble, Trouble::Busy)
    }
}
