//! A small shop whose providers misbehave on command, and what a few annotations buy it.
//!
//! Every scenario is lived through by three clients, each with a provider of its own: one that
//! calls plainly, one with the loop most services write by hand, one that is annotated: payments
//! with `#[deadline]` and `#[retry]`, recommendations with `#[circuit_breaker]` and `#[fallback]`
//! too. The provider counts what reaches it, so the tables are its word, not ours.
//!
//! ```text
//! cargo run --release -p steadfast-examples [-- --quick | --orders N]
//! ```

mod args;
mod figures;
mod order;
mod pace;
mod pages;
mod payments;
mod provider;
mod report;
mod retries;
mod run;
mod scenario;
mod verdict;

use std::{
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
};

use crate::{args::Args, retries::Retries, scenario::SCENARIOS, verdict::Verdict};

#[tokio::main]
async fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(message) => {
            eprintln!("{message}\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    match open_shop(args).await {
        Ok(verdict) if verdict.holds() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the shop had to close: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lives through every scenario, printing each table as soon as it is known.
async fn open_shop(args: Args) -> Result<Verdict, Box<dyn Error>> {
    // Both ends of every connection live in this process, and macOS starts it with 256 files.
    rlimit::increase_nofile_limit(8192)?;
    let mut out = io::stdout();
    let retries = Retries::observed();
    let mut verdict = Verdict::default();
    writeln!(out, "{} orders per client and scenario:\n\n{}", args.orders, report::LEGEND)?;
    for scenario in &SCENARIOS {
        let clients = run::side_by_side(scenario, args.orders, &retries).await?;
        writeln!(out, "{}", report::table(scenario, &clients))?;
        verdict.judge(scenario, &clients);
    }
    let clients = pages::side_by_side(args.day).await?;
    writeln!(out, "{}", pages::report::table(args.day, &clients))?;
    verdict.judge_pages(&clients);
    writeln!(out, "{verdict}")?;
    Ok(verdict)
}
