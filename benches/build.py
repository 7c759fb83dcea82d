#!/usr/bin/env python3
"""What an annotation costs to build, beside other crates.

Writes throw-away crates as a user would, builds them, and prints a report in Markdown.
Needs cargo, and the network for the crates.

    python3 benches/build.py
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

TOKIO = 'tokio = { version = "1", features = ["macros", "rt-multi-thread", "time"] }'
STEADFAST = f'steadfast = {{ path = "{HERE.parent / "runtime"}" }}'

# Whose program is users/<name>.rs: a retry and a deadline of two seconds. Features are those that
# the program needs, or the crate's own defaults.
TREES = {
    "tokio": [],
    "steadfast": [STEADFAST],
    "backon": ['backon = "1.6"'],
    "tokio_retry2": ['tokio-retry2 = { version = "0.9", features = ["jitter"] }'],
    "seatbelt": [
        'layered = "0.3"',
        'seatbelt = { version = "0.11", features = ["retry", "timeout"] }',
        'tick = { version = "0.8", features = ["tokio"] }',
    ],
    "tower_resilience": [
        'tower = { version = "0.5", features = ["util"] }',
        'tower-resilience = { version = "0.13", features = ["retry", "timelimiter"] }',
    ],
}

COUNTS = (100, 300)

BODY = """{
    let first = client.get(id).await?;
    if first % 2 == 0 {
        return Ok(first);
    }
    let second = client.get(first + NUMBER).await?;
    Ok(first ^ second)
}"""

FUNCTION = "async fn call_NUMBER(client: &Client, id: u64) -> Result<u64, ApiError> "

RETRIED = """{
    (|| async BODY)
        .retry(ExponentialBuilder::default().with_max_times(2).with_jitter())
        .when(ApiError::is_transient)
        .await
}"""

FAULT = """
impl steadfast::Fault for ApiError {
    fn class(&self) -> steadfast::fault::Class {
        steadfast::fault::Class::Transient
    }
}
"""

# The same functions in other clothes: dependencies, what stands once, and one function.
FORMS = {
    "plain": ([], "", FUNCTION + BODY),
    "`#[steadfast::retry]`": ([STEADFAST], FAULT, "#[steadfast::retry]\n" + FUNCTION + BODY),
    "backon, around the body": (
        ['backon = "1.6"'],
        "use backon::{ExponentialBuilder, Retryable};\n",
        FUNCTION + RETRIED.replace("BODY", BODY),
    ),
    "`#[tracing::instrument]`": (
        ['tracing = "0.1"'],
        "",
        "#[tracing::instrument(skip_all)]\n" + FUNCTION + BODY,
    ),
}

# Each behind a pointer of its own: a state machine with all of them inside is nobody's program.
PROGRAM = """
use std::pin::Pin;

use client::{ApiError, Client};

mod client;

static CLIENT: Client = Client { salt: 7 };

type Call = fn() -> Pin<Box<dyn Future<Output = Result<u64, ApiError>>>>;

static CALLS: [Call; COUNT] = [
    ENTRIES
];

#[tokio::main]
async fn main() {
    for call in CALLS {
        println!("{:?}", call().await);
    }
}
"""


def main():
    parser = argparse.ArgumentParser(description="What an annotation costs to build.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="compilers at once")
    parser.add_argument("--repeat", type=int, default=3, help="builds of each; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="steadfast-build-") as folder:
        trees = measure_trees(Path(folder), options)
        functions = {count: measure_functions(Path(folder), options, count) for count in COUNTS}
    report_trees(trees)
    report_functions(functions)
    compiler = run(["rustc", "--version"], HERE).strip()
    print(f"\n{compiler}, {platform.machine()}, {options.jobs} jobs, median of {options.repeat}.")


def measure_trees(folder, options):
    crates = {
        name: write_crate(folder / name, dependencies, (HERE / f"users/{name}.rs").read_text())
        for name, dependencies in TREES.items()
    }

    def clean_build(crate):
        shutil.rmtree(crate / "target", ignore_errors=True)
        return build(crate, options)

    times = in_turns(crates, clean_build, options.repeat)
    return {name: (third_party(crate), *times[name]) for name, crate in crates.items()}


def measure_functions(folder, options, count):
    crates = {
        name: write_crate(folder / f"{count}-{number}", dependencies, program(prelude, form, count))
        for number, (name, (dependencies, prelude, form)) in enumerate(FORMS.items())
    }
    for crate in crates.values():
        build(crate, options, "--release")

    def rebuild(crate):
        (crate / "src/main.rs").touch()
        return build(crate, options, "--release")

    times = in_turns(crates, rebuild, options.repeat)
    return {name: processor for name, (_, processor) in times.items()}


def program(prelude, form, count):
    functions = [form.replace("NUMBER", str(number)) for number in range(count)]
    calls = [f"|| Box::pin(call_{number}(&CLIENT, {number}))," for number in range(count)]
    main = PROGRAM.replace("COUNT", str(count)).replace("ENTRIES", "\n    ".join(calls))
    return main + prelude + "\n\n".join(functions)


def write_crate(folder, dependencies, source):
    manifest = ['[package]', 'name = "user"', 'edition = "2024"', "[workspace]", "[dependencies]"]
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text("\n".join([*manifest, TOKIO, *dependencies, ""]))
    (folder / "src/main.rs").write_text(source)
    shutil.copy(HERE / "users/client.rs", folder / "src")
    cargo(folder, "fetch")
    return folder


def in_turns(crates, build_one, repeat):
    """One build of each, and again: a busy minute must not be one crate's alone."""
    times = {name: [] for name in crates}
    for _ in range(repeat):
        for name, crate in crates.items():
            times[name].append(build_one(crate))
    return {name: [statistics.median(column) for column in zip(*rows)] for name, rows in times.items()}


def build(crate, options, *flags):
    """Returns wall and processor seconds."""
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    cargo(crate, "build", "--offline", "--jobs", str(options.jobs), *flags)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def third_party(crate):
    """Counts the packages that are compiled, without the user's own and ours."""
    edges = ["--edges", "normal,build", "--prefix", "none", "--no-dedupe"]
    tree = cargo(crate, "tree", "--offline", *edges)
    packages = {tuple(line.split()[:2]) for line in tree.splitlines()}
    return sum(name not in ("user", "steadfast", "steadfast-macros") for name, _ in packages)


def cargo(crate, *arguments):
    settings = {"CARGO_TARGET_DIR": str(crate / "target"), "RUSTC_WRAPPER": "", "RUSTFLAGS": ""}
    return run(["cargo", "--quiet", *arguments], crate, os.environ | settings)


def run(command, folder, environment=None):
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}, in {folder}:\n{done.stderr}")
    return done.stdout


def report_trees(trees):
    _, _, alone = trees["tokio"]
    print("## A clean debug build of a program with one function\n")
    print("| | third-party crates | processor, s | more than tokio alone, s | wall, s |")
    print("|---|---:|---:|---:|---:|")
    for name, (crates, wall, processor) in trees.items():
        added = processor - alone
        print(f"| {name.replace('_', '-')} | {crates} | {processor:.2f} | {added:.2f} | {wall:.2f} |")


def report_functions(functions):
    print("\n## A release build of many functions, their dependencies built before\n")
    print("| |" + "".join(f" {count}: processor, s | added to each, ms |" for count in COUNTS))
    print("|---|" + "---:|---:|" * len(COUNTS))
    for name in FORMS:
        row = f"| {name} |"
        for count, times in functions.items():
            added = (times[name] - times["plain"]) / count * 1000
            row += f" {times[name]:.2f} | {added:.2f} |"
        print(row)


if __name__ == "__main__":
    main()
