//! The thread that reads: a replay does not wait for the disk because others write.

use std::{
    iter::once,
    sync::{
        PoisonError,
        mpsc::{Receiver, Sender},
    },
};

use steadfast::idempotent::{Claim, Claimed, State};

use crate::{
    request::{Operation, Request},
    tables::Snapshot,
    writer::Shared,
};

pub(crate) struct Reader {
    pub(crate) shared: Shared,
    pub(crate) writer: Option<Sender<Request>>,
}

impl Reader {
    /// Answers what has been answered before, and hands everything else to the writer.
    pub(crate) fn run(self, requests: &Receiver<Request>) {
        while let Ok(first) = requests.recv() {
            let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
            let snapshot = shared.as_ref().and_then(|database| Snapshot::of(database).ok());
            for request in once(first).chain(requests.try_iter()).take(MOST) {
                if let Some(request) = answer(snapshot.as_ref(), request)
                    && let Some(writer) = &self.writer
                {
                    // Where it has panicked, the request is dropped, and so says that.
                    let _ = writer.send(request);
                }
            }
        }
    }
}

/// Answers a claim of what has ended, and returns any other.
fn answer(snapshot: Option<&Snapshot>, request: Request) -> Option<Request> {
    let Request { now, operation } = request;
    match operation {
        Operation::Claim { key, claim, answer } => {
            match snapshot.and_then(|snapshot| replay(snapshot, &key, &claim, now)) {
                Some(claimed) => drop(answer.send(Ok(claimed))),
                None => {
                    return Some(Request {
                        now,
                        operation: Operation::Claim { key, claim, answer },
                    });
                }
            }
            None
        }
        operation => Some(Request { now, operation }),
    }
}

/// Right also where the snapshot is older than the claim: what has ended stays so until it expires, and
/// nobody whose answer came before the claim began has seen a later time than the claim's.
fn replay(snapshot: &Snapshot, key: &[u8], claim: &Claim, now: u64) -> Option<Claimed> {
    let mut record = snapshot.load(key).ok()??;
    let is_replay =
        matches!(record.state, State::Done(_) | State::Failed(_)) && !record.is_expired(now);
    // Without a token: it takes none.
    is_replay.then(|| record.claim(claim, now, 0))
}

/// With one snapshot.
const MOST: usize = 1_024;
