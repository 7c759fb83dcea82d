//! The attribute macros of [steadfast]. Use them through that crate, which re-exports them beside
//! the runtime that they expand to.
//!
//! [steadfast]: https://docs.rs/steadfast

use proc_macro::TokenStream;

mod args;
mod arguments;
mod body;
mod duration;
mod expand;
mod fault;
mod func;
mod nearest;
mod policy;
mod stack;
mod tokens;
mod value;

#[cfg(test)]
mod tests;

/// Stops calling a dependency that fails, and finds out by itself when it is back.
///
/// ```text
/// #[circuit_breaker(failure_rate = 0.5, window = "60s", open_for = "30s")]
/// async fn recommendations(&self, user: UserId) -> Result<Vec<Movie>, ApiError> { .. }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("circuit_breaker", args.into(), item.into()).into()
}

/// Ends an async function in time, and tells all that it calls how much is left.
///
/// ```text
/// #[deadline("2s", reserve = "50ms")]
/// async fn page(&self, user: UserId) -> Result<Page, ApiError> { .. }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_attribute]
pub fn deadline(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("deadline", args.into(), item.into()).into()
}

/// Serves something else when an async function has failed.
///
/// ```text
/// #[fallback(stale = "5m", key = user, bestsellers)]
/// async fn recommendations(&self, user: UserId) -> Result<Vec<Movie>, ApiError> { .. }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_attribute]
pub fn fallback(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("fallback", args.into(), item.into()).into()
}

/// Lets the effect of an async function happen once for each key.
///
/// ```text
/// #[idempotent(key = order.id, fingerprint = order.amount, ttl = "24h")]
/// async fn charge(&self, order: &Order) -> Result<Receipt, PaymentError> { .. }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_attribute]
pub fn idempotent(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("idempotent", args.into(), item.into()).into()
}

/// Runs an async function again when it failed in a way that may pass.
///
/// ```text
/// #[retry(max = 5, base = "100ms", cap = "10s", jitter = "full", safe)]
/// async fn price(&self, movie: &str) -> Result<u64, ApiError> { .. }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_attribute]
pub fn retry(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("retry", args.into(), item.into()).into()
}

/// Says of each error what it means, for every policy that asks.
///
/// ```text
/// #[derive(Debug, Fault)]
/// enum ApiError {
///     #[fault(transient)]
///     Busy,
///     #[fault(throttled = retry_after)]
///     TooMany { retry_after: Duration },
///     #[fault(permanent)]
///     NotFound,
///     #[fault(transparent)]
///     Io(#[from] std::io::Error),
/// }
/// ```
///
/// The page of `steadfast` has all keys and their defaults.
#[proc_macro_derive(Fault, attributes(fault))]
pub fn fault(item: TokenStream) -> TokenStream {
    fault::derive(item.into()).into()
}
