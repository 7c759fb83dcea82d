//! Functions that return a future, written without `async`.

#![allow(clippy::manual_async_fn)]

#[allow(unused_imports)]
use super::names::{macros::*, methods::*, prelude::*, runtime::*, values::*};
use super::{
    names::{Boxed, Good, List, Movable, Number, Pinned, Promise, Slice, Text},
    trouble::Answer,
};

/// As the `futures` crate has it.
pub type BoxFuture<'a, T> = Pinned<Boxed<dyn Promise<Output = T> + Movable + 'a>>;

under_each_stack! {
    /// Names no type.
    pub fn nameless(text: &Slice) -> impl Promise<Output = Answer<&Slice>> + Movable {
        async move { Good(text) }
    }

    /// Has an owned argument, and a changing one.
    pub fn owns(
        text: Text,
        mut items: List<Number>,
    ) -> impl Promise<Output = Answer<Text>> + Movable {
        async move {
            items.push(1);
            ::std::assert_eq!(items.len(), 1);
            Good(text.clone())
        }
    }

    /// Does something before.
    pub fn prepares(text: &Slice) -> impl Promise<Output = Answer<Text>> + Movable + use<> {
        let owned = Text::from(text);
        async move { Good(owned.clone()) }
    }

    /// Is pinned and boxed.
    #[must_use]
    pub fn boxed(
        text: &Slice,
    ) -> Pinned<Boxed<dyn Promise<Output = Answer<Text>> + Movable + '_>> {
        Boxed::pin(async move { Good(Text::from(text)) })
    }

    /// Is pinned and boxed by another name.
    #[must_use]
    pub fn aliased(text: &Slice, mut number: Number) -> BoxFuture<'_, Answer<Text>> {
        Boxed::pin(async move {
            number += 1;
            ::std::assert_eq!(number, 2);
            let same = nameless(text).await?;
            Good(Text::from(same))
        })
    }
}
