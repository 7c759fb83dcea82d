//! What the state machine is made of. The models put loom's in its place.

pub(super) use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

pub(super) use crate::tally::Tally;
