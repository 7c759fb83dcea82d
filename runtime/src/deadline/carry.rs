use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::ambient::{self, Ends};

/// Takes the ambient deadline along to where the future runs, such as a task of its own.
///
/// The deadline is that of the call to `carry`, whose clock this starts. It ends nothing by
/// itself: annotated functions below obey it, and [`remaining`](super::remaining) tells it.
///
/// # Cancellation
///
/// Dropping the future drops the one it carries, and nothing else.
///
/// # Example: a spawned task inherits
///
/// ```
/// use steadfast::deadline::{self, carry, remaining};
///
/// #[steadfast::deadline("2s")]
/// async fn fan_out() -> Result<(), steadfast::Error> {
///     let task = tokio::spawn(carry(async { remaining() }));
///     assert!(task.await.is_ok_and(|remaining| remaining.is_some()));
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steadfast::Error> { fan_out().await }
/// ```
pub fn carry<F: Future>(future: F) -> Carried<F> {
    Carried { future, ends: ambient::started() }
}

pin_project! {
    /// The future of [`carry`].
    ///
    /// # Example: its name in a signature
    ///
    /// ```
    /// use steadfast::deadline::{Carried, carry};
    ///
    /// fn take_along<F: Future>(future: F) -> Carried<F> {
    ///     carry(future)
    /// }
    /// ```
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Carried<F> {
        #[pin]
        future: F,
        ends: Ends,
    }
}

impl<F: Future> Future for Carried<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        ambient::scope(*this.ends, || this.future.poll(cx)).0
    }
}
