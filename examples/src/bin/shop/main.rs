//! A small shop whose providers misbehave on command, and what a few annotations buy it.
//!
//! Every scenario is lived through by three clients, each with a provider of its own: one that
//! calls plainly, one with the loop most services write by hand, one that is annotated: payments
//! with `#[deadline]` and `#[retry]`, the checkout with `#[idempotent]`, recommendations with
//! `#[circuit_breaker]` and `#[fallback]` too. The provider counts what reaches it, so the tables are its word, not ours.
//!
//! ```text
//! cargo run --release -p steadfast-examples [-- --quick | --orders N]
//! ```
//!
//! With `--keys redis://localhost` or `--keys postgres://localhost/shop`, two processes share the checkout,
//! and their keys.

mod args;
mod checkout;
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

use crate::{
    args::Args,
    checkout::worker::{self, Work},
    retries::Retries,
    scenario::SCENARIOS,
    verdict::Verdict,
};

#[tokio::main]
async fn main() -> ExitCode {
    // The shop starts itself anew for a checkout that is to be killed.
    if std::env::args().nth(1).is_some_and(|arg| arg == "--check-out") {
        return check_out().await;
    }
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

async fn check_out() -> ExitCode {
    let Some(work) = Work::parse(std::env::args().skip(2)) else {
        eprintln!("`--check-out` is for the shop itself\n{}", args::USAGE);
        return ExitCode::from(2);
    };
    match worker::check_out(work).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the checkout had to close: {error}");
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
    if !args.only_checkout {
        for scenario in &SCENARIOS {
            let clients = run::side_by_side(scenario, args.orders, &retries).await?;
            writeln!(out, "{}", report::table(scenario, &clients))?;
            verdict.judge(scenario, &clients);
        }
    }
    let clients = checkout::in_memory(args.orders).await?;
    writeln!(out, "{}", checkout::report::in_memory(args.orders, &clients))?;
    verdict.judge_checkout("memory", &clients);
    let clients = checkout::with_a_crash(args.orders).await?;
    writeln!(out, "{}", checkout::report::with_a_crash(&clients))?;
    verdict.judge_checkout("a file", &clients);
    if let Some(url) = &args.keys {
        let clients = checkout::in_two_processes(args.orders, url).await?;
        writeln!(out, "{}", checkout::report::in_two_processes(&clients))?;
        verdict.judge_checkout("a server", &clients);
    }
    if !args.only_checkout {
        let clients = pages::side_by_side(args.day).await?;
        writeln!(out, "{}", pages::report::table(args.day, &clients))?;
        verdict.judge_pages(&clients);
    }
    writeln!(out, "{verdict}")?;
    Ok(verdict)
}
