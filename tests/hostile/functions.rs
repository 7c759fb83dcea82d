//! Free functions.

#[allow(unused_imports)]
use super::names::{macros::*, methods::*, prelude::*, runtime::*, values::*};
use super::{
    names::{Bad, Boxed, Good, Length, List, Movable, Number, Slice, Text, Truth},
    trouble::{Answer, Trouble},
};

/// A pair with names.
#[derive(::std::fmt::Debug)]
#[non_exhaustive]
pub struct Pair {
    /// The one.
    pub one: Number,
    /// The other.
    pub other: Number,
}

under_each_stack! {
    /// Borrows, and hands the borrow on.
    pub async fn borrows(text: &Slice) -> Answer<&Slice> {
        if text.is_empty() {
            return Bad(Trouble::Broken(1));
        }
        Good(text)
    }

    /// Owns, and only reads.
    pub async fn owns(text: Text) -> Answer<Length> {
        Good(text.len())
    }

    /// Holds on to what it does not use.
    pub async fn guards(text: Text, _guard: List<Number>) -> Answer<Length> {
        Good(text.len())
    }

    /// Changes what is not its own.
    pub async fn changes(items: &mut List<Number>) -> Answer<Length> {
        items.push(1);
        Good(items.len())
    }

    /// Changes its own.
    pub async fn changes_own(mut items: List<Number>) -> Answer<Length> {
        items.push(1);
        Good(items.len())
    }

    /// Takes arguments apart.
    pub async fn patterns(
        (left, mut right): (Number, Number),
        Pair { mut one, .. }: Pair,
        [first, .., mut last]: [Number; 3],
        _: Text,
        &by_reference: &Number,
    ) -> Answer<Number> {
        right += left;
        one += right;
        last += first;
        Good(one + last + by_reference)
    }

    /// Has an argument that is there and one that is not.
    pub async fn conditional(
        #[cfg(all())] here: Number,
        #[cfg(any())] gone: Missing,
        #[cfg(all())] mut own: Number,
        #[cfg(any())] mut own_and_gone: Missing,
    ) -> Answer<Number> {
        own += here;
        Good(own)
    }

    /// Is generic.
    pub async fn generic<'text, T, const N: Length>(
        items: &[T; N],
        or: &'text Slice,
    ) -> Answer<(Length, &'text Slice)>
    where
        T: ::std::fmt::Debug + ::std::marker::Sync,
    {
        Good((items.len(), or))
    }

    /// Names no type.
    pub async fn nameless(
        mut items: impl ::std::iter::Iterator<Item = Number> + ::std::clone::Clone + Movable,
    ) -> Answer<impl ::std::fmt::Display + Movable> {
        Good(items.next().unwrap_or_default())
    }

    /// Calls itself.
    pub async fn recurses(depth: Number) -> Answer<Number> {
        match depth.checked_sub(1) {
            ::std::option::Option::Some(less) => Boxed::pin(recurses(less)).await,
            ::std::option::Option::None => Good(7),
        }
    }

    /// Leaves early, by `?` and by `return`.
    pub async fn leaves(answer: Answer<Number>, early: Truth) -> Answer<Number> {
        if early {
            return answer.clone();
        }
        let number = answer.clone()?;
        Good(number + 1)
    }

    /// Begins with items, which are called what the expansion might call its own.
    pub async fn shadows() -> Answer<Number> {
        use Trouble::Broken as Err;
        const RETRY: Number = 1;
        const DEADLINE: Number = 2;
        static SITE: Number = 4;
        Bad(Err(RETRY + DEADLINE + SITE))
    }

    /// Has an attribute inside.
    #[inline]
    #[doc(hidden)]
    pub async fn attributes(#[allow(unused_variables)] unused: Number) -> Answer<Number> {
        #![allow(clippy::no_effect, unused_must_use)]
        1 + 1;
        Good(2)
    }

    /// Is one expression.
    pub async fn forwards() -> Answer<Number> { shadows().await }

    /// Is called by a keyword.
    pub async fn r#type(r#match: &Slice, mut r#in: Number) -> Answer<Length> {
        r#in += 1;
        ::std::assert_eq!(r#in, 2);
        Good(r#match.len())
    }

    /// Is called by whoever is near.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(crate) async fn narrow() -> Answer<()> {
        Good(())
    }
}
