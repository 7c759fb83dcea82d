//! What an error means: the one question every policy asks.
//!
//! | [`Class`] | meaning | `#[retry]` | `#[circuit_breaker]` | `#[idempotent]` |
//! |---|---|---|---|---|
//! | [`Transient`](Class::Transient) | it did not happen, and may work next time | tries again | a failure | the next call runs |
//! | [`Throttled`](Class::Throttled) | the peer asks for less | tries again, not before its hint | a failure | the next call runs |
//! | [`Ambiguous`](Class::Ambiguous) | it may have happened: a timeout after sending, a lost reply | only with `retry(safe)` | a failure | interrupted |
//! | [`Permanent`](Class::Permanent) | it will never work as asked | stops | ignored: the peer is well | the next call runs, or gets the error with `cache_err` |
//! | [`Refused`](Class::Refused) | steadfast itself said no: a breaker is open | stops, unless its waits outlast it | ignored | the next call runs |
//!
//! Derive [`Fault`](derive@crate::Fault) on your own error enum. These have it already:
//! [`std::io::Error`], [`steadfast::Error`](crate::Error), and behind features `http::StatusCode`,
//! `reqwest::Error`, `tonic::Status` and `sqlx::Error`. For `anyhow::Error` and `Box<dyn Error>`
//! write `when = steadfast::fault::in_chain`.
//!
//! # Example: what an I/O error means
//!
//! ```
//! use std::io::{Error, ErrorKind};
//! use steadfast::fault::{Class, Fault};
//!
//! assert_eq!(Error::from(ErrorKind::ConnectionRefused).class(), Class::Transient);
//! assert_eq!(Error::from(ErrorKind::ConnectionReset).class(), Class::Ambiguous);
//! assert_eq!(Error::from(ErrorKind::NotFound).class(), Class::Permanent);
//! ```

use std::{convert::Infallible, sync::Arc, time::Duration};

#[doc(hidden)]
pub use self::chain::AsDynError;
pub use self::chain::{Chain, in_chain, in_chain_with};
#[cfg(feature = "http")]
pub use self::http::{of_response, retry_after};
#[doc = include_str!("../docs/fault.md")]
pub use steadfast_macros::Fault;

mod chain;
#[cfg(feature = "http")]
mod http;
mod io;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "sqlx")]
mod sqlx;
#[cfg(feature = "tonic")]
mod tonic;

/// An error that says what it means for the next attempt.
///
/// Usually derived: see [`#[derive(Fault)]`](derive@crate::Fault).
///
/// # Example: by hand
///
/// ```
/// use steadfast::fault::{Class, Fault};
///
/// struct Exit(i32);
///
/// impl Fault for Exit {
///     fn class(&self) -> Class {
///         if self.0 == 75 { Class::Transient } else { Class::Permanent }
///     }
/// }
///
/// assert_eq!(Exit(75).class(), Class::Transient);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what its errors mean",
    label = "needs `steadfast::Fault`, or `when = …` on the attribute",
    note = "on your own error type: `#[derive(steadfast::Fault)]`, and mark each variant; one that holds \
            an error which says nothing takes `transient`, `permanent` or `ambiguous`",
    note = "for an error of reqwest 0.13, tonic 0.14, sqlx 0.9 or http 1: steadfast's feature of that name",
    note = "for `anyhow::Error` and `Box<dyn Error>`: `when = steadfast::fault::in_chain`",
    note = "for this function alone: `when = |error| …`, or `when = any` for every error"
)]
pub trait Fault {
    /// Sorts the error.
    fn class(&self) -> Class;
}

/// What an error means for the next attempt. The [module docs](self) hold the table.
///
/// # Example: in `when`
///
/// ```
/// use std::io;
/// use steadfast::{fault::Class, retry};
///
/// fn class(error: &io::Error) -> Class {
///     match error.kind() {
///         io::ErrorKind::NotFound => Class::Transient, // it is about to be written
///         _ => Class::Permanent,
///     }
/// }
///
/// #[retry(when = class)]
/// async fn read() -> io::Result<String> {
///     std::fs::read_to_string("report.txt")
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// It may have happened: a timeout after sending, a lost reply.
    Ambiguous,
    /// It will never work as asked.
    Permanent,
    /// steadfast itself said no: nothing was sent. An outer policy neither counts it nor repeats it,
    /// unless it says when to come back and the remaining attempts can outlast that.
    Refused {
        /// When the policy that refused may admit a call again.
        retry_after: Option<Duration>,
    },
    /// The peer asks for less, and perhaps says for how long.
    Throttled {
        /// The least wait that the peer asks for.
        retry_after: Option<Duration>,
    },
    /// It did not happen, and may work next time.
    Transient,
}

/// What `when = …` may answer with: a [`Class`], or a `bool` that is true for "try again", or "a
/// failure of the peer".
///
/// `true` stands for [`Class::Transient`] and `false` for [`Class::Permanent`].
///
/// # Example: both kinds of answer
///
/// ```
/// use steadfast::fault::{Answer, Class};
///
/// assert_eq!(true.into_class(), Class::Transient);
/// assert_eq!(Class::Ambiguous.into_class(), Class::Ambiguous);
/// ```
#[diagnostic::on_unimplemented(
    message = "`when` must answer with a `bool` or a `steadfast::fault::Class`, not `{Self}`",
    label = "neither a `bool` nor a `Class`"
)]
pub trait Answer {
    /// Turns the answer into a class.
    fn into_class(self) -> Class;
}

impl Answer for bool {
    fn into_class(self) -> Class {
        if self { Class::Transient } else { Class::Permanent }
    }
}

impl Answer for Class {
    fn into_class(self) -> Class {
        self
    }
}

/// An error that carries its class along, such as what `of_response` made of a reply.
impl Fault for Class {
    fn class(&self) -> Class {
        *self
    }
}

impl Fault for Infallible {
    fn class(&self) -> Class {
        match *self {}
    }
}

/// A deadline that passed is ambiguous, also where the body had not started: whoever handed the
/// refusal up may have done something before.
impl Fault for crate::Error {
    fn class(&self) -> Class {
        match self {
            Self::CircuitOpen { retry_after, .. } => Class::Refused { retry_after: *retry_after },
            Self::InProgress { retry_after, .. } => {
                Class::Refused { retry_after: Some(*retry_after) }
            }
            Self::DeadlineExceeded { .. } | Self::LeaseLost { .. } => Class::Ambiguous,
            Self::StoreFull { .. } => Class::Throttled { retry_after: None },
            Self::StoreUnavailable { .. } | Self::TransactionFailed { .. } => Class::Transient,
            Self::Interrupted { .. }
            | Self::InvalidKey { .. }
            | Self::KeyMismatch { .. }
            | Self::MissingKey { .. }
            | Self::Reentrant { .. }
            | Self::ResultIncompatible { .. }
            | Self::ResultUnavailable { .. }
            | Self::ScopeTaken { .. } => Class::Permanent,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fault + ?Sized> Fault for &F {
    fn class(&self) -> Class {
        (**self).class()
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fault + ?Sized> Fault for Box<F> {
    fn class(&self) -> Class {
        (**self).class()
    }
}

#[diagnostic::do_not_recommend]
impl<F: Fault + ?Sized> Fault for Arc<F> {
    fn class(&self) -> Class {
        (**self).class()
    }
}

/// What a field that `#[fault(throttled = field)]` names may be: a `Duration`, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`throttled = …` takes a field of type `Duration` or `Option<Duration>`, not `{Self}`",
    label = "not a duration"
)]
#[doc(hidden)]
pub trait Hint {
    /// The wait that the peer asks for.
    fn hint(&self) -> Option<Duration>;
}

impl Hint for Duration {
    fn hint(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl Hint for Option<Duration> {
    fn hint(&self) -> Option<Duration> {
        *self
    }
}
