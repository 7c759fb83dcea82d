#!/usr/bin/env bash
# The runtime, the macros and their default dependencies build with the Rust that they declare.
set -euo pipefail
msrv=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
if ! rustup toolchain list | grep -q "^$msrv" &&
    ! rustup toolchain install "$msrv" --profile minimal --no-self-update; then
    # Without that toolchain clippy still holds our own code to it (`incompatible_msrv`, denied
    # above), and this the declarations of what we depend on.
    echo "RUST $msrv CANNOT BE INSTALLED HERE: comparing declared versions only" >&2
    cargo tree -p steadfast -e normal,build --prefix none --format '{p}' | awk '{ print $1 }' | sort -u |
        while read -r crate; do
            needs=$(cargo info --offline "$crate" 2>/dev/null | sed -n 's/^rust-version: \([0-9.]*\).*/\1/p')
            printf '%s needs %s\n' "$crate" "${needs:-nothing declared}"
            test "$(printf '%s\n' "${needs:-0}" "$msrv" | sort -V | tail -n 1)" = "$msrv"
        done
    exit
fi
cargo "+$msrv" check -p steadfast --features http,reqwest,testing --target-dir target/msrv
# What the macros write is held to it too.
cargo "+$msrv" check -p steadfast-hostile2021 -p steadfast-hostile2024 --all-targets --target-dir target/msrv
