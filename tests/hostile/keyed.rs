//! Idempotent functions.

use ::sturdy::{
    circuit_breaker, deadline, fallback, idempotent,
    idempotent::{Store as Keys, Truth as Finding},
    retry,
};

#[allow(unused_imports)]
use super::names::{macros::*, methods::*, prelude::*, runtime::*, values::*};
use super::{
    functions::Pair,
    names::{Bad, Boxed, Good, Length, List, Number, Pinned, Promise, Shared, Slice, Span, Text},
    trouble::{Answer, Trouble},
};

/// Borrows, and changes what is not its own.
#[idempotent(key = text, crate = ::sturdy)]
pub async fn borrows(text: &Slice, items: &mut List<Number>) -> Answer<Length> {
    items.push(1);
    Good(text.len() + items.len())
}

/// Owns what its key is made of.
#[idempotent(key(text, bounds.0), fingerprint = bounds.1, tenant = text, scope = "owns", crate = ::sturdy)]
pub async fn owns(text: Text, mut bounds: (Number, Number), _guard: List<Number>) -> Answer<Text> {
    bounds.0 += 1;
    let bytes = text.into_bytes();
    if bounds.0 > 100 {
        Bad(Trouble::Broken(bounds.0))
    } else {
        Good(Text::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Takes arguments apart.
#[idempotent(key = (left, one), crate = ::sturdy)]
pub async fn patterns(
    (left, mut right): (Number, Number),
    Pair { mut one, .. }: Pair,
    _: Text,
) -> Answer<Number> {
    right += left;
    one += right;
    Good(one)
}

/// Stands in the midst of all.
#[fallback(expr = Length::MAX, crate = ::sturdy)]
#[deadline(span)]
#[idempotent(
    key = text, ttl = "1h", lease = span, wait = "1s", on_duplicate = "wait", on_interrupted = found,
    max_interruptions = 5, on_store_error = "run", when = |trouble: &Trouble| *trouble == Trouble::Busy
)]
#[retry(max = 2, base = "0s")]
#[circuit_breaker(per = text.len())]
#[deadline(span)]
pub async fn all(text: &Slice, span: Span, items: List<Number>) -> Answer<Length> {
    if text.is_empty() { Bad(Trouble::Busy) } else { Good(items.len()) }
}

async fn found(text: &Slice, _: Span, items: List<Number>) -> Answer<Finding<Length>> {
    ::std::future::ready(()).await;
    Good(Finding::Happened(text.len() + items.len()))
}

/// Owns its store.
#[derive(::std::fmt::Debug)]
#[non_exhaustive]
pub struct Till {
    keys: Keys,
    /// How often it was asked.
    pub(crate) asked: Number,
}

impl Till {
    /// With the store of all.
    #[must_use]
    pub fn open() -> Self {
        Self { keys: ::std::clone::Clone::clone(::sturdy::idempotent::default_store()), asked: 0 }
    }

    /// Changes itself.
    #[idempotent(key = number, scope = "Till::pay", store = self.keys, crate = ::sturdy)]
    pub async fn pay(&mut self, number: Number) -> Answer<Number> {
        self.asked += 1;
        Good(number + self.asked)
    }

    /// Runs on a task of its own.
    #[idempotent(
        key = number, scope = "Till::detached", store = self.keys, on_interrupted = Self::found, detach,
        crate = ::sturdy
    )]
    #[retry(max = 2, base = "0s")]
    pub async fn detached(self: Shared<Self>, number: Number) -> Answer<Number> {
        ::std::future::ready(()).await;
        Good(number + self.asked)
    }

    async fn found(self: Shared<Self>, number: Number) -> Finding<Number> {
        ::std::future::ready(()).await;
        if number > self.asked { Finding::DidNotHappen } else { Finding::Unknown }
    }
}

/// Returns its future.
#[must_use]
#[idempotent(key = *number, crate = ::sturdy)]
pub fn boxed(number: &Number) -> Pinned<Boxed<dyn Promise<Output = Answer<Number>> + '_>> {
    Boxed::pin(async move { Good(*number + 1) })
}
