#!/usr/bin/env bash
# The default dependency tree stays small: at most 16 third-party crates.
set -euo pipefail
most=16
crates=$(cargo tree -p steadfast -e normal,build --prefix none --no-dedupe --format '{p}' |
    awk '{ print $1 }' | grep -v '^steadfast' | sort -u)
count=$(wc -l <<<"$crates")
echo "$count third-party crates by default, at most $most:" $crates
test "$count" -le "$most"
