//! The behaviour of each policy, in a file of its name.

mod deadline;
mod fault;
mod retry;
mod storm;
mod telemetry;
