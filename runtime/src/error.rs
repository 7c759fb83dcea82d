//! What steadfast itself says no with.

use std::{error, fmt, io, time::Duration};

/// A refusal by steadfast itself, as opposed to an error of your function.
///
/// It holds nothing that has to be dropped: an error type that carries it would pay for that in every
/// call, also in those that succeed.
///
/// An annotated function keeps its own error type `E`. A policy that can refuse a call
/// (`#[deadline]`, `#[circuit_breaker]`, `#[idempotent]`) needs `E: From<steadfast::Error>`:
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
    /// Another call with the same idempotency key still runs: this one did not.
    #[non_exhaustive]
    InProgress {
        /// The annotated function.
        function: &'static str,
        /// When it is worth asking again.
        retry_after: Duration,
    },
    /// An earlier call with the same idempotency key was cut off, and its effect may have happened: this
    /// one did not run, and none will until somebody [resolves](crate::idempotent::KeyStore::resolve) it, or
    /// the key's `ttl` is over.
    #[non_exhaustive]
    Interrupted {
        /// The annotated function.
        function: &'static str,
        /// How many claims of the key there were.
        attempts: u32,
        /// How many runs were cut off.
        interruptions: u32,
    },
    /// The idempotency key cannot be serialised: the call did not run. Why is in the event
    /// [`KeyRefused`](crate::telemetry::Event::KeyRefused).
    #[non_exhaustive]
    InvalidKey {
        /// The annotated function.
        function: &'static str,
    },
    /// The same idempotency key has come with another fingerprint: the call did not run.
    #[non_exhaustive]
    KeyMismatch {
        /// The annotated function.
        function: &'static str,
    },
    /// The call has lost its key while it ran, since its lease could not be renewed in time. Its effect
    /// may have happened.
    #[non_exhaustive]
    LeaseLost {
        /// The annotated function.
        function: &'static str,
    },
    /// The idempotency key is `None`: the call did not run.
    #[non_exhaustive]
    MissingKey {
        /// The annotated function.
        function: &'static str,
    },
    /// The body of an idempotent function has called it with the key that it holds: that call did not
    /// run, as it would have waited for itself.
    #[non_exhaustive]
    Reentrant {
        /// The annotated function.
        function: &'static str,
    },
    /// The call with this idempotency key has happened, and what it returned does not fit the type
    /// that the function returns now.
    #[non_exhaustive]
    ResultIncompatible {
        /// The annotated function.
        function: &'static str,
    },
    /// The call with this idempotency key has happened, and what it returned was not kept: it was too
    /// large, or could not be serialised.
    #[non_exhaustive]
    ResultUnavailable {
        /// The annotated function.
        function: &'static str,
    },
    /// Another function has the same module and name, such as the method of another type, and their keys
    /// would meet: the call did not run. Give each a `scope`.
    #[non_exhaustive]
    ScopeTaken {
        /// The annotated function.
        function: &'static str,
    },
    /// The key store has no room for another key: the call did not run.
    #[non_exhaustive]
    StoreFull {
        /// The annotated function.
        function: &'static str,
        /// What the store is called.
        store: &'static str,
    },
    /// The key store has no answer: the call did not run. Why is in the event
    /// [`StoreFailed`](crate::telemetry::Event::StoreFailed).
    #[non_exhaustive]
    StoreUnavailable {
        /// The annotated function.
        function: &'static str,
        /// What the store is called.
        store: &'static str,
    },
    /// The transaction that was to hold the effect and its key has failed, or there is none: it is to be rolled
    /// back, and then nothing has happened. Why is in the event
    /// [`StoreFailed`](crate::telemetry::Event::StoreFailed).
    #[non_exhaustive]
    TransactionFailed {
        /// The annotated function.
        function: &'static str,
        /// What the store is called.
        store: &'static str,
    },
}

impl Error {
    /// The HTTP status that tells a caller the same: 503 for an open breaker, for a key store that is full
    /// or has no answer, and for a transaction that has failed, 504 for a deadline; of idempotency keys 400 for one that is missing, 409 for
    /// one in progress, 422 for a mismatch, and 500 for what only its owner can put right.
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
            Self::CircuitOpen { .. }
            | Self::StoreFull { .. }
            | Self::StoreUnavailable { .. }
            | Self::TransactionFailed { .. } => 503,
            Self::DeadlineExceeded { .. } => 504,
            Self::InProgress { .. } => 409,
            Self::KeyMismatch { .. } => 422,
            Self::MissingKey { .. } => 400,
            Self::Interrupted { .. }
            | Self::InvalidKey { .. }
            | Self::LeaseLost { .. }
            | Self::Reentrant { .. }
            | Self::ResultIncompatible { .. }
            | Self::ResultUnavailable { .. }
            | Self::ScopeTaken { .. } => 500,
        }
    }

    /// When it is worth asking again, if that is known: what `Retry-After` is for.
    ///
    /// # Example: in a handler
    ///
    /// ```
    /// use steadfast::Error;
    ///
    /// fn retry_after(refusal: &Error) -> Option<String> {
    ///     refusal.retry_after().map(|wait| wait.as_secs().max(1).to_string())
    /// }
    /// ```
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen { retry_after, .. } => *retry_after,
            Self::InProgress { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The gRPC code that tells a caller the same: 14, `UNAVAILABLE`, for an open breaker and a key store
    /// without an answer, 8, `RESOURCE_EXHAUSTED`, for one that is full, 4, `DEADLINE_EXCEEDED`, for a
    /// deadline; of idempotency keys 3, `INVALID_ARGUMENT`, for one that is missing or does not match, 10,
    /// `ABORTED`, for one in progress or a transaction that has failed, 2, `UNKNOWN`, where the effect may have happened, and 13, `INTERNAL`.
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
            Self::CircuitOpen { .. } | Self::StoreUnavailable { .. } => 14,
            Self::DeadlineExceeded { .. } => 4,
            Self::InProgress { .. } | Self::TransactionFailed { .. } => 10,
            Self::Interrupted { .. } | Self::LeaseLost { .. } => 2,
            Self::KeyMismatch { .. } | Self::MissingKey { .. } => 3,
            Self::InvalidKey { .. }
            | Self::Reentrant { .. }
            | Self::ResultIncompatible { .. }
            | Self::ResultUnavailable { .. }
            | Self::ScopeTaken { .. } => 13,
            Self::StoreFull { .. } => 8,
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
            Self::InProgress { function, .. } => {
                write!(f, "another call of `{function}` with the same key still runs")
            }
            Self::Interrupted { function, interruptions, .. } => write!(
                f,
                "a call of `{function}` with the same key was cut off {interruptions} times, and its \
                 effect may have happened"
            ),
            Self::InvalidKey { function } => {
                write!(
                    f,
                    "the key of `{function}`, its tenant or its fingerprint cannot be serialised"
                )
            }
            Self::KeyMismatch { function } => {
                write!(f, "the key of `{function}` has been used for another request")
            }
            Self::LeaseLost { function } => write!(
                f,
                "`{function}` has lost its key while it ran, and its effect may have happened"
            ),
            Self::MissingKey { function } => {
                write!(f, "`{function}` was called without a key, or for no tenant")
            }
            Self::Reentrant { function } => {
                write!(f, "`{function}` calls itself with the key that it holds")
            }
            Self::ResultIncompatible { function } => write!(
                f,
                "`{function}` has happened, and what it returned does not fit its type any more"
            ),
            Self::ResultUnavailable { function } => {
                write!(f, "`{function}` has happened, and what it returned was not kept")
            }
            Self::ScopeTaken { function } => write!(
                f,
                "two functions are called `{function}`, and their keys would meet: give each a `scope`"
            ),
            Self::StoreFull { function, store } => {
                write!(f, "`{function}` did not run: its key store, {store}, is full")
            }
            Self::StoreUnavailable { function, store } => {
                write!(f, "`{function}` did not run: its key store, {store}, has no answer")
            }
            Self::TransactionFailed { function, store } => write!(
                f,
                "`{function}` did not happen: its transaction at {store} has failed, and is to be rolled back"
            ),
        }
    }
}

impl error::Error for Error {}

impl From<Error> for io::Error {
    fn from(refusal: Error) -> Self {
        let kind = match refusal {
            Error::DeadlineExceeded { .. } => io::ErrorKind::TimedOut,
            Error::KeyMismatch { .. } | Error::MissingKey { .. } => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, refusal)
    }
}

/// An error type that can carry a refusal; every `E: From<steadfast::Error>` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry steadfast's own refusals, such as a deadline that passed, an open breaker or a duplicate in progress",
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
