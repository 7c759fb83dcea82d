#!/usr/bin/env bash
# Are the programs there that tests start? If not, says what to install, and fails.
set -euo pipefail
missing=()
has() { # a package, and what would show that it is there
    local package=$1
    shift
    for found in "$@"; do
        if [[ -e $found ]]; then return; fi
    done
    missing+=("$package")
}
has redis-server /usr/bin/redis-server "$(command -v redis-server || true)"
has postgresql /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"
has pgbouncer /usr/sbin/pgbouncer "$(command -v pgbouncer || true)"
has faketime /usr/lib/*/faketime/libfaketimeMT.so.1
if ((${#missing[@]} > 0)); then
    echo "tests start servers that are not here: apt-get install ${missing[*]}" >&2
    exit 1
fi
