//! What a caller sees of the store, against a server.

mod contract;
mod database;
mod isolation;
mod load;
mod model;
mod outage;
mod purge;
mod race;
mod refusals;
mod restart;
mod room;
mod trips;
mod tx;
