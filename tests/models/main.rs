//! The state machines, under loom: every way in which threads can meet, one after the other.
//!
//! The sources are the runtime's own, compiled once more with loom's atomics and locks in place of
//! std's; so nothing of the runtime, nor tokio, is built for the models.

mod circuit_breaker;
