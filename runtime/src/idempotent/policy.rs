use std::time::Duration;

/// The settings of one `#[idempotent]`, under the names that the attribute gives them.
///
/// The attribute builds one for you: `#[idempotent(key = order.id, ttl = "1h")]` is
/// `Idempotent::new().ttl(1 h)`.
///
/// | setting | default |
/// |---|---|
/// | [`ttl`](Self::ttl) | 24 h |
/// | [`lease`](Self::lease) | 30 s |
/// | [`on_duplicate`](Self::on_duplicate) | wait |
/// | [`wait`](Self::wait) | 2 s |
/// | [`on_interrupted`](Self::on_interrupted) | rerun |
/// | [`max_interruptions`](Self::max_interruptions) | 3 |
/// | [`on_store_error`](Self::on_store_error) | fail |
///
/// # Example: the settings of an attribute
///
/// ```
/// use std::time::Duration;
/// use steadfast::idempotent::{Idempotent, OnInterrupted};
///
/// const POLICY: Idempotent =
///     Idempotent::new().ttl(Duration::from_secs(3_600)).on_interrupted(OnInterrupted::Fail);
/// assert_ne!(POLICY, Idempotent::new());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotent {
    pub(super) ttl: Duration,
    pub(super) lease: Duration,
    pub(super) on_duplicate: OnDuplicate,
    pub(super) wait: Duration,
    pub(super) on_interrupted: OnInterrupted,
    pub(super) max_interruptions: u32,
    pub(super) on_store_error: OnStoreError,
}

impl Idempotent {
    /// Starts from the defaults.
    pub const fn new() -> Self {
        Self {
            ttl: Duration::from_secs(24 * 3_600),
            lease: Duration::from_secs(30),
            on_duplicate: OnDuplicate::Wait,
            wait: Duration::from_secs(2),
            on_interrupted: OnInterrupted::Rerun,
            max_interruptions: 3,
            on_store_error: OnStoreError::Fail,
        }
    }

    /// Sets how long a key is remembered, from its run's beginning on, and at least half of that from its
    /// end: after that, a duplicate runs again. Up to a
    /// twentieth more, by chance, so that keys made together do not go together. Default 24 h; it counts
    /// as no shorter than the lease.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how long an owner that gives no sign of life is believed to be alive: how long a crash
    /// holds up the next call. It is renewed at a third of that. Default 30 s; below a millisecond it
    /// counts as one.
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Chooses what a duplicate does while the first call runs. Default [`OnDuplicate::Wait`].
    pub const fn on_duplicate(mut self, on_duplicate: OnDuplicate) -> Self {
        self.on_duplicate = on_duplicate;
        self
    }

    /// Sets how long a duplicate waits for the first call, if the ambient deadline does not end before.
    /// Default 2 s.
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Chooses what a call does when an earlier run with its key was cut off. Default
    /// [`OnInterrupted::Rerun`].
    pub const fn on_interrupted(mut self, on_interrupted: OnInterrupted) -> Self {
        self.on_interrupted = on_interrupted;
        self
    }

    /// Sets after how many runs that were cut off the key stays interrupted until somebody resolves it:
    /// with 3, the body runs up to three times. Default 3; 0 counts as 1, which is [`OnInterrupted::Fail`].
    pub const fn max_interruptions(mut self, most: u32) -> Self {
        self.max_interruptions = if most == 0 { 1 } else { most };
        self
    }

    /// Chooses what a call does when the store has no answer. Default [`OnStoreError::Fail`].
    pub const fn on_store_error(mut self, on_store_error: OnStoreError) -> Self {
        self.on_store_error = on_store_error;
        self
    }
}

impl Default for Idempotent {
    fn default() -> Self {
        Self::new()
    }
}

/// What a duplicate does while the first call runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDuplicate {
    /// Fails at once with [`Error::InProgress`](crate::Error::InProgress). In an attribute:
    /// `on_duplicate = "reject"`.
    Reject,
    /// Waits for the first call and gets its result. In an attribute: `on_duplicate = "wait"`.
    #[default]
    Wait,
}

/// What a call does when an earlier run with its key was cut off: nobody knows how far it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnInterrupted {
    /// Fails with [`Error::Interrupted`](crate::Error::Interrupted) until somebody resolves it: at most
    /// once. In an attribute: `on_interrupted = "fail"`.
    Fail,
    /// Asks an async fn what came of it. In an attribute: its path.
    FindOut,
    /// Runs again: at least once. In an attribute: `on_interrupted = "rerun"`.
    #[default]
    Rerun,
}

/// What a call does when the store has no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnStoreError {
    /// Fails with [`Error::StoreUnavailable`](crate::Error::StoreUnavailable): the body does not run. In
    /// an attribute: `on_store_error = "fail"`.
    #[default]
    Fail,
    /// Runs all the same, without a guard: at your own risk. In an attribute:
    /// `on_store_error = "run"`.
    Run,
}
