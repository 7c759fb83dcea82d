//! What a wrong annotation is told.
//!
//! `ui/ours` holds the messages that are our own words, the same on every toolchain. `ui/rustc`
//! holds those that rustc speaks, with our bounds and hints in them: its wording moves from release
//! to release, so these are compared on one. `ui/pass` holds what a message must not be raised for.

use std::{
    env,
    io::{self, Write},
    process::Command,
};

/// The release of rustc whose words `ui/rustc` holds.
const RUSTC: &str = "1.95.0";

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/ours/*.rs");
    cases.pass("ui/pass/*.rs");
    match release() {
        release if release == RUSTC => cases.compile_fail("ui/rustc/*.rs"),
        // Past the capture of the test's output, so that nobody takes it for a pass.
        release => writeln!(
            io::stderr(),
            "SKIPPED: `ui/rustc` holds the words of rustc {RUSTC}, and this is {release}"
        )
        .expect("stderr is open"),
    }
}

/// Such as `1.95.0`.
fn release() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg("--version").output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", rustc.display()));
    let version = String::from_utf8_lossy(&output.stdout);
    version.split(' ').nth(1).unwrap_or_default().to_owned()
}
