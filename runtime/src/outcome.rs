//! Success or failure, read off a return type.

/// Tells success from failure in what an annotated function returns.
///
/// Implemented for [`Result`], so that every alias of it works too: `anyhow::Result<T>`,
/// `io::Result<T>`, your own `type R<T> = Result<T, MyError>`. There is nothing to implement: an
/// annotated function returns a `Result`.
///
/// # Example: an alias is a `Result`
///
/// ```
/// use steadfast::Outcome;
///
/// type R<T> = Result<T, std::io::Error>;
///
/// fn failed<O: Outcome>(outcome: &O) -> bool {
///     outcome.as_result().is_err()
/// }
///
/// let outcome: R<u8> = Ok(1);
/// assert!(!failed(&outcome));
/// ```
#[diagnostic::on_unimplemented(
    message = "steadfast cannot tell success from failure in `{Self}`",
    label = "not a `Result`",
    note = "an annotated function returns a `Result`: its `Err` is what the policies act on"
)]
pub trait Outcome: Sized + sealed::Sealed {
    /// What a success carries.
    type Value;
    /// What a failure carries.
    type Error;

    /// Looks at the outcome without taking it.
    ///
    /// # Errors
    ///
    /// The outcome's own error, borrowed.
    fn as_result(&self) -> Result<&Self::Value, &Self::Error>;

    /// Takes the outcome apart.
    ///
    /// # Errors
    ///
    /// The outcome's own error.
    fn into_result(self) -> Result<Self::Value, Self::Error>;

    /// Makes a failure.
    fn from_error(error: Self::Error) -> Self;

    /// Makes an outcome of what a kept one was.
    fn from_result(result: Result<Self::Value, Self::Error>) -> Self;
}

mod sealed {
    pub trait Sealed {}

    impl<T, E> Sealed for Result<T, E> {}
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    #[inline]
    fn as_result(&self) -> Result<&T, &E> {
        self.as_ref()
    }

    #[inline]
    fn into_result(self) -> Self {
        self
    }

    fn from_error(error: E) -> Self {
        Err(error)
    }

    fn from_result(result: Self) -> Self {
        result
    }
}
