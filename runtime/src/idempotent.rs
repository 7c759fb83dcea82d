#![doc = include_str!("../docs/uncertainty.md")]

pub use self::{
    current::{Current, DownstreamKey, Marked, current, marked, try_current},
    encode::Unencodable,
    fingerprint::Fingerprint,
    key::Key,
    memory::MemoryStore,
    policy::{Idempotent, OnDuplicate, OnInterrupted, OnStoreError},
    record::{Record, State, Stored},
    store::{
        Acquired, AlreadySet, Changed, Claim, Claimed, Counts, Found, KeyStore, Reply, Resolution,
        Store, StoreError, Written, default_store, set_default_store,
    },
    transaction::TransactionStore,
    truth::Truth,
};

pub(crate) mod call;
mod claiming;
mod crowd;
mod current;
mod encode;
mod fingerprint;
mod functions;
mod held;
mod key;
mod memory;
mod policy;
mod record;
pub(crate) mod result;
pub(crate) mod run;
pub(crate) mod run_in;
mod store;
mod transaction;
pub(crate) mod truth;
mod waiting;

#[doc(hidden)]
pub const __STEADFAST: () = ();
