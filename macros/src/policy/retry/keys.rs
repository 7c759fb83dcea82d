//! The keys of `#[retry]`, and what other libraries call them.

use crate::args::Key;

pub(super) const MAX: Key = Key {
    name: "max",
    example: "max = 3",
    elsewhere: &[
        "attempts",
        "max_attempts",
        "max_retries",
        "max_times",
        "retries",
        "times",
        "tries",
    ],
};
pub(super) const BACKOFF: Key =
    Key { name: "backoff", example: "backoff = \"exp\"", elsewhere: &["strategy"] };
pub(super) const BASE: Key = Key {
    name: "base",
    example: "base = \"100ms\"",
    elsewhere: &["delay", "wait", "initial", "initial_delay", "initial_interval", "min_delay"],
};
pub(super) const FACTOR: Key =
    Key { name: "factor", example: "factor = 2", elsewhere: &["multiplier", "exponent", "rate"] };
pub(super) const CAP: Key = Key {
    name: "cap",
    example: "cap = \"10s\"",
    elsewhere: &["max_delay", "max_backoff", "max_interval", "max_wait", "limit"],
};
pub(super) const JITTER: Key =
    Key { name: "jitter", example: "jitter = \"full\"", elsewhere: &["randomize", "spread"] };
pub(super) const WHEN: Key = Key {
    name: "when",
    example: "when(Error::is_transient)",
    elsewhere: &["if", "on", "retry_if", "retry_on", "predicate", "condition"],
};
pub(super) const WHEN_OK: Key = Key {
    name: "when_ok",
    example: "when_ok = |value| value.is_empty()",
    elsewhere: &["retry_on_result", "until"],
};
pub(super) const BUDGET: Key =
    Key { name: "budget", example: "budget = STRIPE", elsewhere: &["token_bucket", "quota"] };
pub(super) const SAFE: Key =
    Key { name: "safe", example: "safe", elsewhere: &["idempotent", "repeatable"] };
pub(super) const CLONE: Key =
    Key { name: "clone", example: "clone(body)", elsewhere: &["clones", "copy"] };
pub(super) const ON_RETRY: Key = Key {
    name: "on_retry",
    example: "on_retry = note",
    elsewhere: &["notify", "before_sleep", "callback", "on_error"],
};
pub(super) const KEYS: &[Key] =
    &[MAX, BACKOFF, BASE, FACTOR, CAP, JITTER, WHEN, WHEN_OK, BUDGET, SAFE, CLONE, ON_RETRY];
