use std::marker::PhantomData;

use crate::outcome::Outcome;

/// What somebody has found out about a run that was cut off.
///
/// # Example: ask the provider
///
/// ```
/// use steadfast::{Error, idempotent::{Truth, current}};
///
/// #[steadfast::idempotent(key = order, on_interrupted = find_charge)]
/// async fn charge(order: u64) -> Result<String, Error> {
///     Ok(format!("receipt of {order}"))
/// }
///
/// async fn find_charge(order: u64) -> Result<Truth<String>, Error> {
///     let _key = current().downstream_key();
///     // …ask for the charge with this key…
///     Ok(if order == 7 { Truth::DidNotHappen } else { Truth::Unknown })
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { assert!(charge(7).await.is_ok()); }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth<T> {
    /// It did not happen: the body runs.
    DidNotHappen,
    /// It happened, with this result, which is kept and returned.
    Happened(T),
    /// Nobody knows: the call fails with [`Error::Interrupted`](crate::Error::Interrupted), and the next
    /// one asks again.
    Unknown,
}

/// What a function that finds out may return: a [`Truth`], or a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a function of `on_interrupted` must return a `Truth<{T}>`, or a `Result` of one, not `{Self}`",
    label = "neither `Truth<{T}>` nor `Result<Truth<{T}>, {E}>`"
)]
pub trait IntoTruth<T, E> {
    /// What it has found out, or its error.
    ///
    /// # Errors
    ///
    /// Its own.
    fn into_truth(self) -> Result<Truth<T>, E>;
}

impl<T, E> IntoTruth<T, E> for Truth<T> {
    fn into_truth(self) -> Result<Self, E> {
        Ok(self)
    }
}

impl<T, E> IntoTruth<T, E> for Result<Truth<T>, E> {
    fn into_truth(self) -> Self {
        self
    }
}

/// What somebody has found out, for a call of this outcome.
///
/// # Errors
///
/// Its own.
pub fn truth<O, A>(_: PhantomData<O>, answer: A) -> Result<Truth<O::Value>, O::Error>
where
    O: Outcome,
    A: IntoTruth<O::Value, O::Error>,
{
    answer.into_truth()
}
