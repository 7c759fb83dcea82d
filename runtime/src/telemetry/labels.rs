use std::fmt;

/// What has cut off a call with a key.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::Interruption;
///
/// assert_eq!(Interruption::Dropped.to_string(), "dropped");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interruption {
    /// Its error says that it may have happened.
    Ambiguous,
    /// Its future was dropped: the caller left, or a deadline above it passed.
    Dropped,
    /// A deadline below it passed while it ran.
    Late,
    /// Its lease could not be renewed in time.
    LeaseLost,
    /// It panicked.
    Panicked,
}

impl Interruption {
    /// Its name in a label, such as `dropped`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::Interruption;
    ///
    /// assert_eq!(Interruption::Dropped.as_str(), "dropped");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Dropped => "dropped",
            Self::Late => "late",
            Self::LeaseLost => "lease_lost",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a call did not run, by its key.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::KeyRefusal;
///
/// assert_eq!(KeyRefusal::InProgress.to_string(), "in_progress");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// Another call with the key still runs.
    InProgress,
    /// An earlier call with the key was cut off.
    Interrupted,
    /// The key has come with another fingerprint.
    Mismatch,
    /// There is no key.
    Missing,
    /// The body has called the function with the key that it holds.
    Reentrant,
    /// Another function has the same module and name, and their keys would meet.
    ScopeTaken,
    /// The key store has no room.
    StoreFull,
    /// The key store has no answer.
    StoreUnavailable,
    /// The transaction that was to hold the key has failed.
    TransactionFailed,
    /// The key cannot be serialised.
    Unserializable,
}

impl KeyRefusal {
    /// Its name in a label, such as `in_progress`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::KeyRefusal;
    ///
    /// assert_eq!(KeyRefusal::InProgress.as_str(), "in_progress");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Interrupted => "interrupted",
            Self::Mismatch => "mismatch",
            Self::Missing => "missing",
            Self::Reentrant => "reentrant",
            Self::ScopeTaken => "scope_taken",
            Self::StoreFull => "store_full",
            Self::StoreUnavailable => "store_unavailable",
            Self::TransactionFailed => "transaction_failed",
            Self::Unserializable => "unserializable",
        }
    }
}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an attempt is worth another.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::Reason;
///
/// assert_eq!(Reason::Throttled.to_string(), "throttled");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It may have happened, and the attribute says that a repeat is [`safe`](crate::retry::Retry::safe).
    Ambiguous,
    /// A breaker below is open, and says when it may admit a call again.
    Refused,
    /// The peer asked for less.
    Throttled,
    /// It did not happen, and may work next time.
    Transient,
    /// It succeeded with a value that `when_ok` wants no more than an error.
    UnwantedValue,
}

impl Reason {
    /// Its name in a label: `ambiguous`, `refused`, `throttled`, `transient`, `unwanted_value`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::Reason;
    ///
    /// assert_eq!(Reason::UnwantedValue.as_str(), "unwanted_value");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::UnwantedValue => "unwanted_value",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there is no further attempt.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::StopCause;
///
/// assert_eq!(StopCause::HintBeyondCap.to_string(), "hint_beyond_cap");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StopCause {
    /// It may have happened, and the attribute does not say that a repeat is safe.
    Ambiguous,
    /// The retry budget is empty.
    BudgetExhausted,
    /// The ambient deadline ends before the next attempt could start.
    DeadlineTooNear,
    /// It was the last attempt.
    Exhausted,
    /// The peer asked for a longer wait than the cap allows.
    HintBeyondCap,
    /// It will never work as asked.
    Permanent,
    /// A breaker below is open, for longer than the remaining attempts can outlast.
    Refused,
}

impl StopCause {
    /// Its name in a label, such as `budget_exhausted`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::StopCause;
    ///
    /// assert_eq!(StopCause::BudgetExhausted.as_str(), "budget_exhausted");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::BudgetExhausted => "budget_exhausted",
            Self::DeadlineTooNear => "deadline_too_near",
            Self::Exhausted => "exhausted",
            Self::HintBeyondCap => "hint_beyond_cap",
            Self::Permanent => "permanent",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for StopCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a fallback is looked for.
///
/// # Example: as a label
///
/// ```
/// use steadfast::telemetry::Trigger;
///
/// assert_eq!(Trigger::Refused.to_string(), "refused");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// The function failed.
    Failed,
    /// A policy below the fallback said no: a breaker is open, a deadline has passed.
    Refused,
}

impl Trigger {
    /// Its name in a label: `failed` or `refused`.
    ///
    /// # Example: without an allocation
    ///
    /// ```
    /// use steadfast::telemetry::Trigger;
    ///
    /// assert_eq!(Trigger::Failed.as_str(), "failed");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
