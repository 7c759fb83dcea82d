//! The shared source of `tests/hostile`, in edition 2021.

#![forbid(unsafe_code)]
// Heeded at the root alone.
#![deny(future_incompatible, non_ascii_idents, rust_2021_compatibility, rust_2024_compatibility)]

#[path = "../hostile/mod.rs"]
pub mod hostile;

#[cfg(test)]
#[path = "../hostile/tests.rs"]
mod tests;
