use std::time::Duration;

/// The settings of one `#[retry]`, under the names that the attribute gives them.
///
/// The attribute builds one for you: `#[retry(max = 5)]` is `Retry::new().max(5)`. Out-of-range
/// values that are written as literals in the attribute are compile errors; values that are only
/// known at run time are brought into range as each setter says, and nothing panics.
///
/// | setting | default |
/// |---|---|
/// | [`max`](Self::max) | 3 attempts |
/// | [`backoff`](Self::backoff) | exponential |
/// | [`base`](Self::base) | 100 ms |
/// | [`factor`](Self::factor) | 2 |
/// | [`cap`](Self::cap) | 10 s |
/// | [`jitter`](Self::jitter) | full |
/// | [`safe`](Self::safe) | off |
///
/// # Example: what a policy waits
///
/// ```
/// use std::time::Duration;
/// use steadfast::retry::Retry;
///
/// const POLICY: Retry = Retry::new().max(5).base(Duration::from_millis(50));
/// assert_eq!(POLICY.ceiling(1), Duration::from_millis(50));
/// assert_eq!(POLICY.ceiling(4), Duration::from_millis(400));
/// assert_eq!(POLICY.ceiling(u32::MAX), Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Retry {
    pub(super) max: u32,
    pub(super) backoff: Backoff,
    pub(super) base: Duration,
    pub(super) factor: f64,
    pub(super) cap: Duration,
    pub(super) jitter: Jitter,
    pub(super) safe: bool,
}

impl Retry {
    /// Starts from the defaults.
    ///
    /// # Example: the default waits
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::Retry;
    ///
    /// assert_eq!(Retry::new().ceiling(1), Duration::from_millis(100));
    /// ```
    pub const fn new() -> Self {
        Self {
            max: 3,
            backoff: Backoff::Exponential,
            base: Duration::from_millis(100),
            factor: 2.0,
            cap: Duration::from_secs(10),
            jitter: Jitter::Full,
            safe: false,
        }
    }

    /// Limits the attempts, the first included. Default 3; 0 counts as 1.
    ///
    /// # Example: zero counts as one
    ///
    /// ```
    /// use steadfast::retry::Retry;
    ///
    /// assert_eq!(Retry::new().max(0), Retry::new().max(1));
    /// ```
    pub const fn max(mut self, attempts: u32) -> Self {
        self.max = if attempts == 0 { 1 } else { attempts };
        self
    }

    /// Chooses how the waits grow. Default [`Backoff::Exponential`].
    ///
    /// # Example: longer by the same each time
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::{Backoff, Retry};
    ///
    /// let policy = Retry::new().backoff(Backoff::Linear);
    /// assert_eq!(policy.ceiling(3), Duration::from_millis(300));
    /// ```
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets the wait after the first attempt, before jitter. Default 100 ms; zero means no waits
    /// at all, and a `base` over the `cap` counts as the cap.
    ///
    /// # Example: no waits
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::Retry;
    ///
    /// assert_eq!(Retry::new().base(Duration::ZERO).ceiling(9), Duration::ZERO);
    /// ```
    pub const fn base(mut self, wait: Duration) -> Self {
        self.base = wait;
        self
    }

    /// Sets what an exponential wait is multiplied with from attempt to attempt. Default 2; below 1
    /// it counts as 1, infinite as "at the cap from the second wait on", NaN as the default.
    ///
    /// # Example: three times as long each time
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::Retry;
    ///
    /// assert_eq!(Retry::new().factor(3.0).ceiling(3), Duration::from_millis(900));
    /// ```
    pub const fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_nan() {
            2.0
        } else if factor < 1.0 {
            1.0
        } else {
            factor
        };
        self
    }

    /// Sets the longest wait, jitter included, and the longest that a peer may ask for: a longer
    /// hint stops the loop. Default 10 s. Only the jitter on top of a hint may go past it.
    ///
    /// # Example: no wait is longer
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::Retry;
    ///
    /// let policy = Retry::new().cap(Duration::from_millis(150));
    /// assert_eq!(policy.ceiling(u32::MAX), Duration::from_millis(150));
    /// ```
    pub const fn cap(mut self, wait: Duration) -> Self {
        self.cap = wait;
        self
    }

    /// Chooses how the waits are spread. Default [`Jitter::Full`].
    ///
    /// # Example: half of each wait is fixed
    ///
    /// ```
    /// use steadfast::retry::{Jitter, Retry};
    ///
    /// let policy = Retry::new().jitter(Jitter::Equal);
    /// assert_ne!(policy, Retry::new());
    /// ```
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// States that a repeat is harmless, so that [ambiguous](crate::fault::Class::Ambiguous)
    /// errors are retried too. Default off.
    ///
    /// # Example: a policy for reads
    ///
    /// ```
    /// use steadfast::retry::Retry;
    ///
    /// const READS: Retry = Retry::new().safe();
    /// assert_ne!(READS, Retry::new());
    /// ```
    pub const fn safe(mut self) -> Self {
        self.safe = true;
        self
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

/// How the waits grow from attempt to attempt, up to the cap.
///
/// # Example: in an attribute
///
/// ```
/// use std::io;
/// use steadfast::retry;
///
/// #[retry(backoff = "fibonacci", when = any)]
/// async fn price() -> io::Result<u64> {
///     Ok(3)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backoff {
    /// `base`, `base·factor`, `base·factor²`, … In an attribute: `backoff = "exp"`.
    #[default]
    Exponential,
    /// `base`, `base`, `2·base`, `3·base`, `5·base`, … In an attribute: `backoff = "fibonacci"`.
    Fibonacci,
    /// Always `base`. In an attribute: `backoff = "fixed"`.
    Fixed,
    /// `base`, `2·base`, `3·base`, … In an attribute: `backoff = "linear"`.
    Linear,
}

/// How a wait is spread, so that clients that failed together do not come back together.
///
/// The cap is applied before, so that waits stay spread at the cap and never exceed it. Terms and
/// formulas are those of Marc Brooker, "Exponential Backoff And Jitter" (AWS, 2015).
///
/// # Example: in an attribute
///
/// ```
/// use std::io;
/// use steadfast::retry;
///
/// #[retry(jitter = "decorrelated", when = any)]
/// async fn price() -> io::Result<u64> {
///     Ok(3)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// Uniform in `[base, 3·previous wait]`, the upper end capped; grows by itself, without a
    /// [`Backoff`].
    Decorrelated,
    /// Uniform in `[wait/2, wait]`.
    Equal,
    /// Uniform in `[0, wait]`.
    #[default]
    Full,
    /// The wait itself: clients that failed together come back together.
    None,
}

/// What `on_retry` is told: an attempt failed, and another will follow.
///
/// # Example: note each retry
///
/// ```
/// use std::io;
/// use steadfast::retry::{self, Retrying};
///
/// fn note(retrying: &Retrying<'_, io::Result<u64>>) {
///     eprintln!("attempt {} failed, next in {:?}", retrying.attempt, retrying.wait);
/// }
///
/// #[steadfast::retry(on_retry = note)]
/// async fn price() -> io::Result<u64> {
///     Ok(3)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Retrying<'a, O> {
    /// The attempt that failed, from 1.
    pub attempt: u32,
    /// The wait before the next.
    pub wait: Duration,
    /// What the attempt returned.
    pub outcome: &'a O,
}

impl<'a, O> Retrying<'a, O> {
    pub(super) fn new(attempt: u32, wait: Duration, outcome: &'a O) -> Self {
        Self { attempt, wait, outcome }
    }
}
