#!/usr/bin/env bash
# All that CI runs. Needs a Rust toolchain, and the servers that tests start (`apt-get install redis-server
# postgresql pgbouncer faketime`); about ten minutes from nothing on two cores.
# The long forms of what runs here in short are in CONTRIBUTING.md.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "the servers that tests start"
tests/programs.sh

step "format"
cargo fmt --all --check

step "clippy, warnings denied, with every target and feature (the benches compile)"
cargo clippy --workspace --all-targets --all-features -- -D warnings

step "tests: units, docs, behaviour, messages, hostile crates, models, stores, processes that are killed"
cargo test --workspace --all-features

step "each feature by itself"
for feature in http reqwest sqlx tonic testing; do
    cargo check --quiet -p steadfast --no-default-features --features "$feature"
done

step "docs, warnings denied"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --all-features \
    -p steadfast -p steadfast-macros -p steadfast-postgres -p steadfast-redb -p steadfast-redis

step "dependencies"
tests/dependencies.sh

step "minimum Rust version"
tests/msrv.sh

step "the example, in short"
cargo build --quiet --release -p steadfast-examples
target/release/shop --quick
for server in postgres redis; do
    step "the example's checkout in two processes that share a $server"
    cargo run --quiet -p steadfast-test-servers -- "$server" target/release/shop --checkout --keys
done

step "all good"
