//! The error type of the annotated functions.

use super::names::{Becomes, Fallible, Number, Span};

/// What goes wrong.
#[derive(
    ::std::clone::Clone, ::std::fmt::Debug, ::std::cmp::PartialEq, ::std::cmp::Eq, ::sturdy::Fault,
)]
#[fault(crate = ::sturdy)]
#[non_exhaustive]
pub enum Trouble {
    /// Nobody knows whether it happened.
    #[fault(ambiguous)]
    Lost,
    /// It will pass.
    #[fault(transient)]
    Busy,
    /// It will not.
    #[fault(permanent)]
    Broken(Number),
    /// The peer asks for less.
    #[fault(throttled = after)]
    Slow {
        /// How long to stay away.
        after: Span,
    },
    /// The call was refused.
    #[fault(ambiguous)]
    Refused,
}

impl Becomes<::sturdy::Error> for Trouble {
    fn from(_: ::sturdy::Error) -> Self {
        Self::Refused
    }
}

/// An alias of the real thing, so that the name says nothing.
pub type Answer<T> = Fallible<T, Trouble>;
