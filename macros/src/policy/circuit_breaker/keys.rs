//! The keys of `#[circuit_breaker]`, and what other libraries call them.

use crate::args::Key;

pub(super) const FAILURE_RATE: Key = Key {
    name: "failure_rate",
    example: "failure_rate = 0.5",
    elsewhere: &[
        "error_rate",
        "error_threshold_percentage",
        "failure_rate_threshold",
        "failure_ratio",
        "failure_threshold",
        "failureRateThreshold",
        "rate",
        "threshold",
    ],
};
pub(super) const CONSECUTIVE: Key = Key {
    name: "consecutive",
    example: "consecutive = 5",
    elsewhere: &["consecutive_failures", "failures", "max_failures"],
};
pub(super) const WINDOW: Key = Key {
    name: "window",
    example: "window = \"60s\"",
    elsewhere: &[
        "interval",
        "rolling_window",
        "sampling_duration",
        "sliding_window",
        "sliding_window_size",
        "window_size",
    ],
};
pub(super) const MIN_CALLS: Key = Key {
    name: "min_calls",
    example: "min_calls = 20",
    elsewhere: &[
        "min_throughput",
        "minimum_throughput",
        "minimum_calls",
        "minimum_number_of_calls",
        "request_volume_threshold",
        "volume_threshold",
    ],
};
pub(super) const OPEN_FOR: Key = Key {
    name: "open_for",
    example: "open_for = \"30s\"",
    elsewhere: &[
        "break_duration",
        "cooldown",
        "delay",
        "recovery_timeout",
        "reset_timeout",
        "sleep_window",
        "wait_duration",
        "wait_duration_in_open_state",
    ],
};
pub(super) const MAX_OPEN_FOR: Key = Key {
    name: "max_open_for",
    example: "max_open_for = \"5m\"",
    elsewhere: &["cap", "max_break_duration", "max_delay"],
};
pub(super) const PROBES: Key = Key {
    name: "probes",
    example: "probes = 1",
    elsewhere: &[
        "half_open_calls",
        "half_open_max_calls",
        "max_requests",
        "permitted_calls",
        "permitted_number_of_calls_in_half_open_state",
        "success_threshold",
        "trial_calls",
    ],
};
pub(super) const SLOW_AFTER: Key = Key {
    name: "slow_after",
    example: "slow_after = \"2s\"",
    elsewhere: &["slow_call_duration", "slow_call_duration_threshold", "slow_threshold"],
};
pub(super) const SLOW_RATE: Key = Key {
    name: "slow_rate",
    example: "slow_rate = 0.5",
    elsewhere: &["slow_call_rate", "slow_call_rate_threshold"],
};
pub(super) const PER: Key =
    Key { name: "per", example: "per = host", elsewhere: &["by", "key", "keyed"] };
pub(super) const MAX_KEYS: Key =
    Key { name: "max_keys", example: "max_keys = 10_000", elsewhere: &["capacity", "keys"] };
pub(super) const WHEN: Key = Key {
    name: "when",
    example: "when(Error::is_outage)",
    elsewhere: &["condition", "if", "ignore", "on", "predicate", "record"],
};
pub(super) const WITH: Key =
    Key { name: "with", example: "with = STRIPE", elsewhere: &["breaker", "name", "shared"] };
pub(super) const KEYS: &[Key] = &[
    FAILURE_RATE,
    WINDOW,
    MIN_CALLS,
    OPEN_FOR,
    MAX_OPEN_FOR,
    PROBES,
    CONSECUTIVE,
    SLOW_AFTER,
    SLOW_RATE,
    PER,
    MAX_KEYS,
    WHEN,
    WITH,
];
