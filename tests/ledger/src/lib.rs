//! The ledger test: processes that call idempotent functions are killed, stopped and cut off, and what
//! they have done is counted by another one, which is not.
//!
//! Five roles, each in a file of its own:
//!
//! * the **ledger** is never touched. It writes down each effect, each answer and each blow, in one order,
//!   on disk before it answers; beside that it plays a resource that checks fencing tokens;
//! * the **engine** keeps the keys for all workers, and may be killed: PostgreSQL, Redis, or a server of
//!   ours before a file;
//! * the **workers** call the functions, and strike themselves at the points that a plan names;
//! * the **driver** starts them all, follows a plan that a seed decides, and starts anew who died;
//! * the **checker** reads the ledger, and nothing else.
//!
//! `cargo test -p steadfast-ledger-test` runs it in short. For longer, with a line for each seed; a history
//! with a violation in it stays, to be checked again; and a mutant, with its plan, by itself, whose history
//! stays if `STEADFAST_LEDGER_KEEP` is set:
//!
//! ```text
//! cargo run --release -p steadfast-ledger-test -- storm redis --minutes 30 --seed 1
//! cargo run --release -p steadfast-ledger-test -- check <folder>
//! cargo run --release -p steadfast-ledger-test -- provoke waiter_deletes --seed 1
//! ```

use std::{env, fs, io, path::PathBuf, time::Duration};

pub use self::{
    checker::{Report, Violation},
    engine::Engine,
    mutants::Mutant,
};

mod checker;
mod driver;
mod engine;
mod history;
mod jobs;
mod ledger;
mod mutants;
mod nemesis;
mod points;
mod provoke;
mod remote;
mod server;
mod way;
mod wire;
mod worker;

/// Plays the role that the arguments name: what the binary is for.
///
/// # Errors
///
/// What the operating system says.
pub fn play() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["ledger", folder] => ledger::run(&PathBuf::from(folder)),
        ["server", folder, mutant] => server::run(&PathBuf::from(folder), Mutant::named(mutant)),
        ["worker", folder, name, mutant, address] => {
            worker::run(&PathBuf::from(folder), name, Mutant::named(mutant), address)
        }
        ["storm", engine, "--minutes", minutes, "--seed", seed] => {
            let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
            let engine = Engine::named(engine).ok_or_else(|| io::Error::other(USAGE))?;
            nemesis::storms(&env::current_exe()?, engine, number(minutes)?, number(seed)?)
        }
        ["check", folder] => {
            let history = fs::read_to_string(ledger::history(&PathBuf::from(folder)))?;
            println!("{}", checker::check(&history::History::read(&history)));
            Ok(())
        }
        ["provoke", mutant, "--seed", seed] => {
            let seed = seed.parse().map_err(io::Error::other)?;
            let mutant = Mutant::named(mutant).ok_or_else(|| io::Error::other("no such mutant"))?;
            for mutated in [false, true] {
                let report = provoke::provoke(&env::current_exe()?, mutant, mutated, seed)?;
                println!("{}: {report}", if mutated { mutant.name() } else { "without it" });
            }
            Ok(())
        }
        _ => Err(io::Error::other(USAGE)),
    }
}

const USAGE: &str = "storm <postgres | redb | redis> --minutes <number> --seed <number>";

/// A storm of so many seconds; `binary` is this crate's.
///
/// # Errors
///
/// What the operating system says.
pub fn storm(binary: &str, engine: Engine, seed: u64, seconds: u64) -> io::Result<Report> {
    nemesis::storm(binary.as_ref(), engine, seed, seconds)
}

/// How long after its owner was killed a key has the next one, and how long the lease was.
///
/// # Errors
///
/// What the operating system says.
pub fn takeover(binary: &str, engine: Engine) -> io::Result<(Duration, Duration)> {
    Ok((provoke::takeover(binary.as_ref(), engine)?, jobs::LEASE))
}

/// The plan that provokes a mutant, with it or without.
///
/// # Errors
///
/// What the operating system says.
pub fn provoke(binary: &str, mutant: Mutant, mutated: bool, seed: u64) -> io::Result<Report> {
    provoke::provoke(binary.as_ref(), mutant, mutated, seed)
}
