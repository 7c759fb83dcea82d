//! How an expansion awaits a policy's future.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Pins a future where it stands, to be awaited at once.
#[doc(hidden)]
#[macro_export]
macro_rules! __pin {
    ($future:expr) => {
        $crate::private::v1::Pinned($crate::private::v1::std_pin!($future))
    };
}

/// A future that is pinned where it stands.
///
/// Awaiting a `Pin` does the same, but through a function of std's that is seldom inlined. That cost
/// a breaker three nanoseconds of nine.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Pinned<'a, F>(pub Pin<&'a mut F>);

impl<F: Future> Future for Pinned<'_, F> {
    type Output = F::Output;

    #[expect(clippy::inline_always, reason = "three nanoseconds of the nine that a call cost")]
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(cx)
    }
}
