//! What `#[idempotent]` takes.

use crate::args::Key;

pub(super) const KEY: Key = Key {
    name: "key",
    example: "key = order.id",
    elsewhere: &["by", "id", "idempotency_key", "on", "per"],
};
pub(super) const FINGERPRINT: Key = Key {
    name: "fingerprint",
    example: "fingerprint = order.amount",
    elsewhere: &["payload", "payload_validation", "request", "validate"],
};
pub(super) const TTL: Key = Key {
    name: "ttl",
    example: "ttl = \"24h\"",
    elsewhere: &["expires_after", "expires_in", "expiry", "keep", "retention"],
};
pub(super) const STORE: Key = Key {
    name: "store",
    example: "store = ORDERS",
    elsewhere: &["backend", "persistence", "storage", "with"],
};
pub(super) const LEASE: Key = Key {
    name: "lease",
    example: "lease = \"30s\"",
    elsewhere: &["lock", "lock_ttl", "lock_timeout", "visibility_timeout"],
};
pub(super) const ON_DUPLICATE: Key = Key {
    name: "on_duplicate",
    example: "on_duplicate = \"reject\"",
    elsewhere: &["conflict", "duplicate", "on_conflict"],
};
pub(super) const WAIT: Key = Key {
    name: "wait",
    example: "wait = \"2s\"",
    elsewhere: &["timeout", "wait_for", "wait_timeout"],
};
pub(super) const ON_INTERRUPTED: Key = Key {
    name: "on_interrupted",
    example: "on_interrupted = \"fail\"",
    elsewhere: &["on_crash", "on_orphan", "recover", "recovery"],
};
pub(super) const MAX_INTERRUPTIONS: Key = Key {
    name: "max_interruptions",
    example: "max_interruptions = 3",
    elsewhere: &["max_attempts", "max_recoveries", "max_runs"],
};
pub(super) const CACHE_ERR: Key = Key {
    name: "cache_err",
    example: "cache_err(Error::is_final)",
    elsewhere: &["cache_errors", "keep_err", "store_err"],
};
pub(super) const WHEN: Key =
    Key { name: "when", example: "when(Error::class)", elsewhere: &["condition", "predicate"] };
pub(super) const ON_STORE_ERROR: Key = Key {
    name: "on_store_error",
    example: "on_store_error = \"run\"",
    elsewhere: &["fail_open", "on_outage", "on_unavailable"],
};
pub(super) const SCOPE: Key = Key {
    name: "scope",
    example: "scope = \"charge\"",
    elsewhere: &["function", "name", "namespace", "prefix"],
};
pub(super) const TENANT: Key =
    Key { name: "tenant", example: "tenant = account.id", elsewhere: &["account", "customer"] };
pub(super) const DETACH: Key =
    Key { name: "detach", example: "detach", elsewhere: &["detached", "spawn"] };
pub(super) const TX: Key = Key {
    name: "tx",
    example: "tx = tx",
    elsewhere: &["conn", "connection", "transaction", "unit_of_work"],
};
pub(super) const FRESH_KEY: Key =
    Key { name: "fresh_key", example: "fresh_key", elsewhere: &["allow_fresh", "random_key"] };

pub(super) const KEYS: &[Key] = &[
    KEY,
    FINGERPRINT,
    TTL,
    STORE,
    LEASE,
    ON_DUPLICATE,
    WAIT,
    ON_INTERRUPTED,
    MAX_INTERRUPTIONS,
    CACHE_ERR,
    WHEN,
    ON_STORE_ERROR,
    SCOPE,
    TENANT,
    DETACH,
    FRESH_KEY,
    TX,
];
