//! What steadfast itself says no with.

use std::{error, fmt, io, time::Duration};

/// A refusal by steadfast itself, as opposed to an error of your function.
///
/// An annotated function keeps its own error type `E`. A policy that can refuse a call
/// (`#[deadline]`, `#[circuit_breaker]`) needs `E: From<steadfast::Error>`:
///
/// * `anyhow::Error` and `Box<dyn Error + Send + Sync>` have it already;
/// * an enum with `thiserror` takes one variant:
///   `#[error(transparent)] Refused(#[from] steadfast::Error)`;
/// * `std::io::Error`, and behind features `tonic::Status` and `sqlx::Error`, have it from here.
///
/// `#[retry]` alone never needs it: after the last attempt the caller sees the last original error.
///
/// # Example: what a caller does with a refusal
///
/// ```
/// use std::time::Duration;
/// use steadfast::deadline;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ApiError {
///     #[error(transparent)]
///     Refused(#[from] steadfast::Error),
/// }
///
/// #[deadline("10ms")]
/// async fn hangs() -> Result<(), ApiError> {
///     std::future::pending().await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let Err(ApiError::Refused(refusal)) = hangs().await else { panic!("it hangs") };
/// assert_eq!(refusal.http_status(), 504);
/// assert!(matches!(refusal, steadfast::Error::DeadlineExceeded { started: true, .. }));
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// The circuit breaker is open: the call did not run.
    #[non_exhaustive]
    CircuitOpen {
        /// The breaker's name: the function's, if it is the function's own.
        breaker: &'static str,
        /// When it may admit a call again. `None` if that is not known: it is being probed, or
        /// somebody has forced it open.
        retry_after: Option<Duration>,
    },
    /// The deadline of the call passed before there was a result.
    #[non_exhaustive]
    DeadlineExceeded {
        /// The annotated function, such as `shop::client::charge`.
        function: &'static str,
        /// The limit that the function set itself; `None` if it was the deadline of its caller.
        limit: Option<Duration>,
        /// How far past its deadline the call was when this was noticed.
        late: Duration,
        /// Whether the body had started. If it had, its effect may have happened.
        started: bool,
    },
}

impl Error {
    /// The HTTP status that tells a caller the same: 503 for an open breaker, 504 for a deadline.
    ///
    /// # Example: in a handler
    ///
    /// ```
    /// #[steadfast::deadline(std::time::Duration::ZERO)]
    /// async fn handler() -> Result<(), steadfast::Error> {
    ///     Ok(())
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let refusal = handler().await.unwrap_err();
    /// assert_eq!(refusal.http_status(), 504);
    /// # }
    /// ```
    pub const fn http_status(&self) -> u16 {
        match self {
            Self::CircuitOpen { .. } => 503,
            Self::DeadlineExceeded { .. } => 504,
        }
    }

    /// The gRPC code that tells a caller the same: 14, `UNAVAILABLE`, for an open breaker, and 4,
    /// `DEADLINE_EXCEEDED`, for a deadline.
    ///
    /// # Example: in a service
    ///
    /// ```
    /// #[steadfast::deadline(std::time::Duration::ZERO)]
    /// async fn method() -> Result<(), steadfast::Error> {
    ///     Ok(())
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let refusal = method().await.unwrap_err();
    /// assert_eq!(refusal.grpc_code(), 4);
    /// # }
    /// ```
    pub const fn grpc_code(&self) -> i32 {
        match self {
            Self::CircuitOpen { .. } => 14,
            Self::DeadlineExceeded { .. } => 4,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen { breaker, retry_after } => {
                write!(f, "the circuit breaker `{breaker}` is open")?;
                match retry_after {
                    Some(wait) => write!(f, " for another {wait:.1?}"),
                    None => Ok(()),
                }
            }
            Self::DeadlineExceeded { function, limit, started, .. } => {
                let what = if *started { "cut off" } else { "not started" };
                match limit {
                    Some(limit) => write!(f, "`{function}` was {what}: its deadline of {limit:?}")?,
                    None => write!(f, "`{function}` was {what}: the deadline of its caller")?,
                }
                f.write_str(" has passed")
            }
        }
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(refusal: Error) -> Self {
        let kind = match refusal {
            Error::CircuitOpen { .. } => io::ErrorKind::Other,
            Error::DeadlineExceeded { .. } => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, refusal)
    }
}

/// An error type that can carry a refusal; every `E: From<steadfast::Error>` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry steadfast's own refusals, such as a deadline that passed or an open breaker",
    label = "needs `From<steadfast::Error>`",
    note = "with thiserror, add a variant: `#[error(transparent)] Refused(#[from] steadfast::Error)`",
    note = "or write `impl From<steadfast::Error> for {Self}`; a type of another crate has to be wrapped in one of yours",
    note = "`anyhow::Error`, `Box<dyn Error + Send + Sync>` and `std::io::Error` carry it as they are"
)]
pub trait CarriesRefusals: Sized {
    /// Wraps the refusal.
    fn refused(refusal: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> CarriesRefusals for E {
    fn refused(refusal: Error) -> Self {
        refusal.into()
    }
}
