use std::{error::Error, io, ops::Deref};

use super::{Class, Fault};

/// Looks through an error's chain of sources for one that says what it means.
///
/// Write `when = steadfast::fault::in_chain` for `anyhow::Error`, `eyre::Report` and
/// `Box<dyn Error>`, which say nothing about themselves. From the outermost error inwards the first
/// one that is a `std::io::Error`, a `steadfast::Error`, or (behind their features) a
/// `reqwest::Error`, `tonic::Status` or `sqlx::Error` decides. Where none is, the answer is
/// [`Class::Permanent`]: what nobody vouches for is not repeated. For error types of your own, see
/// [`in_chain_with`].
///
/// # Example: through anyhow's context
///
/// ```
/// use anyhow::Context;
/// use std::io::{Error, ErrorKind};
/// use steadfast::fault::{Class, in_chain};
///
/// let refused: Result<(), _> = Err(Error::from(ErrorKind::ConnectionRefused));
/// let error = refused.context("asking for the price").unwrap_err();
/// assert_eq!(in_chain(&error), Class::Transient);
/// assert_eq!(in_chain(&anyhow::anyhow!("no such movie")), Class::Permanent);
/// ```
pub fn in_chain<E: Chain>(error: &E) -> Class {
    find(error.outermost(), known)
}

/// Like [`in_chain`], and asks errors of type `F` first.
///
/// # Example: an error enum of your own inside an `anyhow::Error`
///
/// ```
/// use steadfast::fault::{Class, Fault, in_chain_with};
///
/// #[derive(Debug, thiserror::Error, Fault)]
/// enum StockError {
///     #[error("the shelf is being refilled")]
///     #[fault(transient)]
///     Refilling,
/// }
///
/// let error = anyhow::Error::new(StockError::Refilling).context("reserving a copy");
/// assert_eq!(in_chain_with::<StockError>(&error), Class::Transient);
/// ```
///
/// On an attribute: `when = steadfast::fault::in_chain_with::<StockError>`.
pub fn in_chain_with<F: Fault + Error + 'static>(error: &impl Chain) -> Class {
    find(error.outermost(), |error| {
        error.downcast_ref::<F>().map(Fault::class).or_else(|| known(error))
    })
}

/// An error that holds a chain of errors: `Box<dyn Error>`, `anyhow::Error`, `eyre::Report`.
///
/// Implemented for everything that dereferences to a `dyn Error`.
///
/// # Example: the outermost error
///
/// ```
/// use steadfast::fault::Chain;
///
/// let error: Box<dyn std::error::Error> = "out of stock".into();
/// assert_eq!(error.outermost().to_string(), "out of stock");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no chain of errors to look through",
    label = "not a `Box<dyn Error>`, `anyhow::Error` or the like",
    note = "on your own error type: `#[derive(steadfast::Fault)]`, and leave `when` out"
)]
pub trait Chain {
    /// The error that the chain begins with.
    fn outermost(&self) -> &(dyn Error + 'static);
}

#[diagnostic::do_not_recommend]
impl<P> Chain for P
where
    P: Deref,
    P::Target: AsDynError,
{
    fn outermost(&self) -> &(dyn Error + 'static) {
        (**self).as_dyn_error()
    }
}

/// The trait objects that are a `dyn Error`.
pub trait AsDynError {
    /// Forgets the auto traits.
    fn as_dyn_error(&self) -> &(dyn Error + 'static);
}

impl AsDynError for dyn Error {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AsDynError for dyn Error + Send {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

impl AsDynError for dyn Error + Send + Sync {
    fn as_dyn_error(&self) -> &(dyn Error + 'static) {
        self
    }
}

fn find(
    outermost: &(dyn Error + 'static),
    class_of: impl Fn(&(dyn Error + 'static)) -> Option<Class>,
) -> Class {
    let mut next = Some(outermost);
    while let Some(error) = next {
        if let Some(class) = class_of(error) {
            return class;
        }
        next = error.source();
    }
    Class::Permanent
}

/// Asks the error if it is of a type that this crate knows.
pub(super) fn known(error: &(dyn Error + 'static)) -> Option<Class> {
    fn ask<F: Fault + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Class> {
        error.downcast_ref::<F>().map(Fault::class)
    }
    let class = ask::<crate::Error>(error).or_else(|| ask::<io::Error>(error));
    #[cfg(feature = "reqwest")]
    let class = class.or_else(|| ask::<reqwest::Error>(error));
    #[cfg(feature = "tonic")]
    let class = class.or_else(|| ask::<tonic::Status>(error));
    #[cfg(feature = "sqlx")]
    let class = class.or_else(|| ask::<sqlx::Error>(error));
    class
}
