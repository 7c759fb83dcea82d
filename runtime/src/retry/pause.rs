use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
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
    Pause { sleep: (!wait.is_zero()).then(|| sleep(wait)) }
}

pin_project! {
    /// The future of [`pause`].
    ///
    /// Without a wait there is no timer, which would round up to its next millisecond; the task's
    /// cooperative budget sees to it that such a loop still lets others run and can be aborted.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Pause {
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = self.project().sleep.as_pin_mut() {
            return sleep.poll(cx);
        }
        ready!(coop::poll_proceed(cx)).made_progress();
        Poll::Ready(())
    }
}
