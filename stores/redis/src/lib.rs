#![doc = include_str!("../README.md")]

mod answer;
mod check;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod durability;
mod error;
mod link;
mod list;
mod options;
mod record;
mod script;
#[cfg(feature = "sentinel")]
mod sentinel;
mod source;
mod store;

pub use self::{
    durability::{Durability, Log},
    error::ConnectError,
    options::Options,
    store::RedisStore,
};
