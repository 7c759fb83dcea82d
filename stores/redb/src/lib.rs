#![doc = include_str!("../README.md")]

mod batch;
mod clock;
mod codec;
mod disk;
mod durability;
mod error;
mod handle;
mod last;
mod open;
mod options;
mod reader;
mod request;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod watchers;
mod writer;

pub use self::{durability::Durability, error::OpenError, options::Options, store::RedbStore};
