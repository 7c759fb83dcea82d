//! The store, and real servers that each test starts for itself.

mod call;
#[cfg(feature = "cluster")]
mod cluster;
mod common;
mod connect;
mod contract;
mod figures;
mod limits;
mod model;
mod outages;
#[cfg(feature = "sentinel")]
mod sentinel;
#[cfg(feature = "tls")]
mod tls;
