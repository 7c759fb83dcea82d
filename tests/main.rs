//! The behaviour of each policy, in a file of its name.

mod deadline;
mod fault;
mod retry;
mod shapes;
mod size;
mod storm;
mod telemetry;
