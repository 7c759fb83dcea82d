use std::time::Duration;

/// The settings of one `#[deadline]`, under the names that the attribute gives them.
///
/// The attribute builds one for you: `#[deadline("2s", reserve = "50ms")]` is
/// `Deadline::new().limit(2 s).reserve(50 ms)`.
///
/// | setting | default |
/// |---|---|
/// | [`limit`](Self::limit) | none: only the inherited deadline |
/// | [`reserve`](Self::reserve) | nothing |
///
/// # Example: the settings of an attribute
///
/// ```
/// use std::time::Duration;
/// use steadfast::deadline::Deadline;
///
/// const POLICY: Deadline = Deadline::new().limit(Duration::from_secs(2));
/// assert_ne!(POLICY, Deadline::new());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline {
    pub(super) limit: Option<Duration>,
    pub(super) reserve: Duration,
    pub(super) early: Duration,
}

impl Deadline {
    /// No limit of its own, nothing reserved.
    ///
    /// # Example: what a bare `#[deadline]` is
    ///
    /// ```
    /// use steadfast::deadline::Deadline;
    ///
    /// assert_eq!(Deadline::new(), Deadline::default());
    /// ```
    pub const fn new() -> Self {
        Self { limit: None, reserve: Duration::ZERO, early: Duration::ZERO }
    }

    /// Ends the call after this long, or at the inherited deadline if that is sooner. A limit of
    /// zero refuses every call; one too long for the clock is none.
    ///
    /// # Example: two seconds
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::deadline::Deadline;
    ///
    /// const POLICY: Deadline = Deadline::new().limit(Duration::from_secs(2));
    /// ```
    pub const fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Keeps this much back for the call's own work: what it calls inherits a deadline that ends
    /// earlier by it. At most what is left; then what it calls has no time at all.
    ///
    /// # Example: time to answer without what is called
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::deadline::Deadline;
    ///
    /// const POLICY: Deadline =
    ///     Deadline::new().limit(Duration::from_secs(2)).reserve(Duration::from_millis(100));
    /// ```
    pub const fn reserve(mut self, reserve: Duration) -> Self {
        self.reserve = reserve;
        self
    }

    /// Ends the call this much before the inherited deadline, but leaves it a tenth of the time: what
    /// a deadline above a fallback keeps back for that.
    #[doc(hidden)]
    pub const fn early(mut self, early: Duration) -> Self {
        self.early = early;
        self
    }
}
