use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    task::coop,
    time::{Sleep, sleep},
};

/// Waits between two attempts.
///
/// # Panics
///
/// A wait longer than zero panics outside a tokio runtime with its timer on, as
/// [`tokio::time::sleep`] does.
pub fn pause(wait: Duration) -> Pause {
    Pause { sleep: (!wait.is_zero()).then(|| Box::pin(sleep(wait))) }
}

/// The future of [`pause`].
///
/// Without a wait there is no timer, which would round up to its next millisecond; the task's
/// cooperative budget sees to it that such a loop still lets others run and can be aborted.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Pause {
    // Boxed, so that the 112 bytes of a timer are paid by a call that waits, and not by the size of
    // every call that might.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = &mut self.sleep {
            return sleep.as_mut().poll(cx);
        }
        ready!(coop::poll_proceed(cx)).made_progress();
        Poll::Ready(())
    }
}
