//! Annotate an async function and it survives a failing world.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub use steadfast_macros::{Fault, deadline, retry};

pub use self::{error::Error, fault::Fault, outcome::Outcome};

pub mod deadline;
mod error;
pub mod fault;
mod outcome;
#[doc(hidden)]
pub mod private;
pub mod retry;
mod site;
pub mod telemetry;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
