//! How a duplicate waits for the first call.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    crowd::Member,
    key::Key,
    policy::{Idempotent, OnDuplicate},
    store::{Changed, Store},
};
use crate::{deadline, error::Error, site::Site};

/// A duplicate, from its first claim on. It never changes the record.
pub(super) struct Waiting<'a> {
    site: &'static Site,
    policy: &'a Idempotent,
    store: &'a Store,
    key: &'a Key,
    until: Option<Instant>,
    /// With the others of this process, where the store does not tell that the record has changed.
    member: Option<Member<'a>>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(
        site: &'static Site,
        policy: &'a Idempotent,
        store: &'a Store,
        key: &'a Key,
    ) -> Self {
        Self { site, policy, store, key, until: None, member: None }
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
        let next = until.min(now + remaining.clamp(SHORTEST_WAIT, LONGEST_WAIT));
        if let Some(changed) = changed {
            either(changed, sleep_until(next)).await;
        } else {
            let join = || self.store.join(self.key);
            self.member.get_or_insert_with(join).wait(next).await;
        }
        Ok(())
    }

    /// There is an answer for all that wait.
    pub(super) fn tell(&self) {
        if let Some(member) = &self.member {
            member.tell();
        }
    }
}

async fn either(mut changed: Changed, sleep: impl Future<Output = ()>) {
    let mut sleep = pin!(sleep);
    poll_fn(move |cx| {
        let has_changed = Pin::new(&mut changed).poll(cx).is_ready();
        if has_changed { Poll::Ready(()) } else { sleep.as_mut().poll(cx) }
    })
    .await;
}

const ASK_AGAIN: Duration = Duration::from_secs(1);
/// A claim that has come after its call was over is answered that nothing remains, each time.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// What is longer is for ever, and too long for a clock.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 3_600);
