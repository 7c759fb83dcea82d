//! The behaviour of each policy, in a file of its name.

mod circuit_breaker;
mod deadline;
mod fallback;
mod fault;
mod idempotent;
mod retry;
mod shapes;
mod size;
mod storm;
mod telemetry;
