//! Runs a command with the URL of a server of its own as the last argument:
//!
//! ```text
//! cargo run -p steadfast-test-servers -- redis cargo run --release -p steadfast-examples -- --keys
//! ```

use std::{env, process::Command, process::ExitCode};

use steadfast_test_servers::{Postgres, Redis};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [server, program, arguments @ ..] = &arguments[..] else { return usage() };
    let run = |url: String| Command::new(program).args(arguments).arg(url).status();
    let status = match server.as_str() {
        "postgres" => {
            let server = Postgres::start();
            run(server.url(&server.new_database()))
        }
        "redis" => {
            let server = Redis::start();
            run(server.url())
        }
        _ => return usage(),
    };
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{program} does not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: steadfast-test-servers <postgres | redis> <command> [arguments]");
    ExitCode::from(2)
}
