//! What a message must not be raised for.

use std::{io, sync::Arc, sync::LazyLock, time::Duration};

use steadfast::{
    idempotent,
    idempotent::{MemoryStore, OnDuplicate, Store},
};

static STORE: LazyLock<Store> = LazyLock::new(|| Store::new(MemoryStore::new()));
const ON_DUPLICATE: OnDuplicate = OnDuplicate::Reject;

/// A fresh key, where that is meant: one key for all attempts.
#[idempotent(key = fresh::new_v4(), fresh_key)]
async fn fresh_key(order: u64) -> io::Result<u64> {
    Ok(order)
}

mod fresh {
    pub(super) fn new_v4() -> u64 {
        4
    }
}

/// Settings that are known at run time only.
#[idempotent(key = format!("{order}"), ttl = limit, lease = limit / 2, on_duplicate = ON_DUPLICATE)]
async fn at_run_time(order: u64, limit: Duration) -> io::Result<u64> {
    let _ = limit;
    Ok(order)
}

/// `new` and `now` as names of one's own.
#[idempotent(key = new.now, store = STORE)]
async fn names(new: &Times) -> io::Result<u64> {
    Ok(new.now)
}

struct Times {
    now: u64,
}

#[idempotent(key(name, *order), on_duplicate = reject, detach)]
async fn borrowed(name: &'static str, order: Arc<str>) -> io::Result<String> {
    Ok(format!("{name}{order}"))
}

fn main() {
    drop(fresh_key(1));
    drop(at_run_time(1, Duration::from_secs(60)));
    drop(names(&Times { now: 1 }));
    drop(borrowed("", "".into()));
}
