//! How a claim is sent: again where its reply may have been lost, and taken back where nobody waits for
//! it any more.

use std::time::Duration;

use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

use super::{
    key::Key,
    store::{Claim, Claimed, Reply, Store, StoreError},
};
use crate::{
    deadline,
    random::between,
    site::Site,
    telemetry::{self, Event},
};

/// Waits for the reply to a claim, and sends it up to two times more: its owner is the same, so the
/// store knows it again.
pub(super) async fn ask<'a>(
    site: &Site,
    store: &'a Store,
    key: &'a Key,
    claim: &'a Claim,
    first: Reply<'a, Claimed>,
    runs_anyway: bool,
) -> Result<Claimed, StoreError> {
    let mut sent = Sent { store, key, claim, is_open: true };
    let mut pauses = PAUSES.into_iter();
    let mut reply = first;
    loop {
        let answer = reply.await;
        if let Err(error @ (StoreError::Corrupt(_) | StoreError::Unavailable(_))) = &answer {
            let (function, store) = (site.function(), store.name());
            telemetry::raise(&Event::StoreFailed { function, store, operation: "claim", error });
        }
        let Err(StoreError::Unavailable(_)) = &answer else {
            sent.is_open = false;
            return answer;
        };
        let Some(pause) = pauses.next() else {
            // What runs all the same may hold the key after all, and is not to be robbed of it.
            sent.is_open = !runs_anyway;
            return answer;
        };
        let pause = Duration::from_millis(between(pause / 2, pause));
        if deadline::remaining().is_some_and(|left| left <= pause) {
            sent.is_open = !runs_anyway;
            return answer;
        }
        sleep(pause).await;
        reply = sent.store.claim(key, claim);
    }
}

/// A claim whose answer is not known. Dropped, it is taken back: nothing has run, and the key should
/// not have to wait for the end of a lease, nor be taken for one whose run was cut off.
struct Sent<'a> {
    store: &'a Store,
    key: &'a Key,
    claim: &'a Claim,
    is_open: bool,
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (store, key, claim) = (self.store.clone(), self.key.clone(), self.claim.clone());
            runtime.spawn(async move { take_back(&store, &key, &claim).await });
        }
    }
}

/// Claims once more, as the same owner, to know the token, and releases the key.
async fn take_back(store: &Store, key: &Key, claim: &Claim) {
    let give_up = Instant::now() + claim.lease.min(LONGEST);
    while Instant::now() < give_up {
        match store.claim(key, claim).await {
            Ok(Claimed::Acquired(acquired)) if acquired.took_over => {
                if store.interrupt(key, acquired.token, false).await.is_ok() {
                    return;
                }
            }
            Ok(Claimed::Acquired(acquired)) => {
                if store.release(key, acquired.token).await.is_ok() {
                    return;
                }
            }
            Ok(_) => return,
            Err(_) => {}
        }
        sleep(Duration::from_millis(between(100, 1_000))).await;
    }
}

/// For how long a claim is tried to be taken back, at most: longer leases are for other things.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// In milliseconds, before the second and the third time.
const PAUSES: [u64; 2] = [50, 200];
