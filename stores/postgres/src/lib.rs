#![doc = include_str!("../README.md")]

mod check;
mod connections;
mod durability;
mod error;
mod failure;
mod literals;
mod options;
mod rows;
mod schema;
mod statement;
mod store;
mod sweep;
mod transaction;

pub use self::{
    durability::Durability, error::ConnectError, options::Options, store::PostgresStore,
    transaction::NotInTransaction,
};
