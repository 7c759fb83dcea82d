//! How a duplicate waits for the first call.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    policy::{Idempotent, OnDuplicate},
    store::Changed,
};
use crate::{deadline, error::Error, random::between, site::Site};

/// A duplicate, from its first claim on. It never changes the record.
pub(super) struct Waiting<'a> {
    site: &'static Site,
    policy: &'a Idempotent,
    until: Option<Instant>,
    /// The next pause, where the store does not tell that the record has changed.
    pause: Duration,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(site: &'static Site, policy: &'a Idempotent) -> Self {
        Self { site, policy, until: None, pause: FIRST_PAUSE }
    }

    /// Waits until the record may have changed, the owner's lease is dead, or it has been too long.
    pub(super) async fn wait(
        &mut self,
        remaining: Duration,
        changed: Option<Changed>,
    ) -> Result<(), Error> {
        let now = Instant::now();
        let until = *self.until.get_or_insert_with(|| {
            let wait = match self.policy.on_duplicate {
                OnDuplicate::Reject => Duration::ZERO,
                OnDuplicate::Wait => self.policy.wait,
            };
            now + wait.min(deadline::remaining().unwrap_or(wait)).min(LONGEST_WAIT)
        });
        if now >= until {
            // An owner that lives will be done before its lease is over.
            let retry_after = remaining.min(ASK_AGAIN);
            return Err(Error::InProgress { function: self.site.function(), retry_after });
        }
        let mut next = until.min(now + remaining.min(LONGEST_WAIT));
        if changed.is_none() {
            next = next.min(now + self.next_pause());
        }
        either(changed, sleep_until(next)).await;
        Ok(())
    }

    /// From 25 ms to 1 s, spread over its second half.
    pub(super) fn next_pause(&mut self) -> Duration {
        let pause = u64::try_from(self.pause.as_micros()).unwrap_or(u64::MAX);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Duration::from_micros(between(pause / 2, pause))
    }
}

async fn either(mut changed: Option<Changed>, sleep: impl Future<Output = ()>) {
    let mut sleep = pin!(sleep);
    poll_fn(move |cx| {
        let has_changed = changed.as_mut().is_some_and(|c| Pin::new(c).poll(cx).is_ready());
        if has_changed { Poll::Ready(()) } else { sleep.as_mut().poll(cx) }
    })
    .await;
}

const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// What is longer is for ever, and too long for a clock.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3_600);
