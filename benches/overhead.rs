//! What an annotation costs, beside the bare call and beside other crates, in one process.
//!
//! ```sh
//! cargo bench -p steadfast-benches
//! ```

mod client;
mod contention;
mod duplicates;
mod groups;
mod harness;
mod heap;
mod keys;
mod measures;
mod memory;
mod ours;
mod peers;
mod report;

use crate::report::Report;

fn main() {
    // Cargo says `--bench` only when it benches; as a part of `cargo test` this must be quick.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { 1001 } else { 1 };
    println!("{}", Report::measured(rounds));
}
