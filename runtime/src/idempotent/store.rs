use std::{
    error, fmt,
    future::Future,
    ops::Deref,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use super::{
    crowd::{Crowds, Member},
    fingerprint::Fingerprint,
    functions::Functions,
    key::Key,
    memory::MemoryStore,
    record::{Record, Stored},
};
use crate::site::Site;

/// Where the records of keys are kept: implement it for an engine of your own.
///
/// [`Record`] has the rules, and `steadfast::testing::store_contract` (feature `testing`) tries every
/// one of them on a store. The laws:
///
/// * Each operation is one atomic step; of two claims of a key that race, one sees the other.
/// * [`claim`](Self::claim) decides in the order of [`Record::claim`], and only the store's clock says
///   whether a lease lives.
/// * A token is greater than each that the same key had before, also where its record has expired or
///   was purged in between.
/// * What a claim answers is durable, as far as the store is, when it answers. Each later write does
///   nothing unless the token is that of the record and it is in progress, and says so.
/// * A record in progress is never forgotten while its lease lives, nor is one that has not expired
///   for want of room: then a claim is refused with [`StoreError::Full`].
/// * Dropping a reply leaves the store right: the operation has happened or it has not.
///
/// An operation that has its answer at once gives [`Reply::now`], and a caller then neither waits nor
/// allocates; a dropped call of such a store is interrupted before its `drop` returns.
pub trait KeyStore: fmt::Debug + Send + Sync + 'static {
    /// What it is called in errors and events, such as `memory`.
    fn name(&self) -> &'static str;

    /// Claims a key, for the caller to run what it stands for, or says what has come of it.
    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed>;

    /// Begins the lease anew.
    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written>;

    /// Keeps the result.
    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written>;

    /// Lets the next claim run it: it did not happen.
    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written>;

    /// Notes that the run was cut off; `ran` as in [`Record::interrupt`].
    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written>;

    /// Looks at a key, and changes nothing. `None` if there is no record, or it has expired.
    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>>;

    /// Lists keys whose runs were cut off, in some order that stays, from the first `after` this one;
    /// at most `limit` of them, and none that has expired.
    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>>;

    /// Says what has come of an interrupted key, as in [`Record::resolve`]; false if it was none.
    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool>;

    /// Counts the records by what has come of them.
    fn count(&self) -> Reply<'_, Counts>;

    /// Forgets the records that have expired, and says how many they were.
    fn purge(&self) -> Reply<'_, u64>;
}

/// So that a store can be looked at from beside: `Store::new(Arc::clone(&mine))`.
impl<S: KeyStore + ?Sized> KeyStore for Arc<S> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        (**self).claim(key, claim)
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        (**self).renew(key, token, lease)
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        (**self).complete(key, token, succeeded, result)
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        (**self).release(key, token)
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        (**self).interrupt(key, token, ran)
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        (**self).look(key)
    }

    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        (**self).interrupted(after, limit)
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        (**self).resolve(key, resolution)
    }

    fn count(&self) -> Reply<'_, Counts> {
        (**self).count()
    }

    fn purge(&self) -> Reply<'_, u64> {
        (**self).purge()
    }
}

/// A store, as the calls hold it: any [`KeyStore`], shared.
///
/// # Example: one for the functions of a module
///
/// ```
/// use std::sync::LazyLock;
/// use steadfast::idempotent::{MemoryStore, Store};
///
/// static ORDERS: LazyLock<Store> = LazyLock::new(|| Store::new(MemoryStore::new().max_keys(10_000)));
///
/// #[steadfast::idempotent(key = order, store = ORDERS)]
/// async fn place(order: u64) -> Result<u64, steadfast::Error> {
///     Ok(order)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steadfast::Error> {
/// assert_eq!(place(7).await?, place(7).await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store(Arc<Shared<dyn KeyStore>>);

#[derive(Debug)]
struct Shared<S: ?Sized> {
    functions: Functions,
    /// Of those who wait for a key that the store tells nothing of.
    crowds: Crowds,
    store: S,
}

impl Store {
    /// Shares a store.
    ///
    /// # Example: in memory
    ///
    /// ```
    /// use steadfast::idempotent::{MemoryStore, Store};
    ///
    /// assert_eq!(Store::new(MemoryStore::new()).name(), "memory");
    /// ```
    pub fn new(store: impl KeyStore) -> Self {
        let (functions, crowds) = Default::default();
        Self(Arc::new(Shared { functions, crowds, store }))
    }

    /// Its own number.
    pub(super) fn number(&self) -> u64 {
        self.0.functions.number()
    }

    /// Waits for a key with the others of this process.
    pub(super) fn join<'a>(&'a self, key: &Key) -> Member<'a> {
        self.0.crowds.join(key)
    }

    /// Tells those of this process who wait for a key that its record has changed.
    pub(super) fn tell(&self, key: &Key) {
        self.0.crowds.tell(key);
    }

    /// Whether the function's keys are its own.
    #[inline]
    pub(super) fn knows(&self, site: &'static Site, scope: &str) -> bool {
        self.0.functions.know(site, scope)
    }
}

impl Deref for Store {
    type Target = dyn KeyStore;

    fn deref(&self) -> &Self::Target {
        &self.0.store
    }
}

static DEFAULT: OnceLock<Store> = OnceLock::new();

/// Keeps the keys of every function whose attribute names no store in this one, from now on.
///
/// Call it when the process begins. Without it, such a function's keys are kept in the memory of the
/// process: a [`MemoryStore`] with its defaults.
///
/// # Errors
///
/// [`AlreadySet`]: one was set before, or the memory is in use, since a call has begun, or somebody has
/// asked for the [`default_store`].
///
/// # Example: once
///
/// ```
/// use steadfast::idempotent::{MemoryStore, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// steadfast::set_default_store(Store::new(MemoryStore::new()))?;
/// assert!(steadfast::set_default_store(Store::new(MemoryStore::new())).is_err());
/// # Ok(())
/// # }
/// ```
pub fn set_default_store(store: Store) -> Result<(), AlreadySet> {
    DEFAULT.set(store).map_err(|_| AlreadySet(()))
}

/// There is a default store already.
///
/// # Example: what it says
///
/// ```
/// use steadfast::idempotent::{MemoryStore, Store, default_store};
///
/// default_store();
/// let too_late = steadfast::set_default_store(Store::new(MemoryStore::new())).unwrap_err();
/// assert_eq!(too_late.to_string(), "there is a default key store already, and perhaps keys in it");
/// ```
#[derive(Clone, Debug)]
pub struct AlreadySet(());

impl fmt::Display for AlreadySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is a default key store already, and perhaps keys in it")
    }
}

impl error::Error for AlreadySet {}

/// The store of every function whose attribute names none.
///
/// # Example: how many keys are in it
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steadfast::idempotent::StoreError> {
/// let store = steadfast::idempotent::default_store();
/// assert_eq!(store.count().await?.done, 0);
/// # Ok(())
/// # }
/// ```
pub fn default_store() -> &'static Store {
    DEFAULT.get_or_init(|| Store::new(MemoryStore::new()))
}

/// A store's answer: there already, or on its way.
///
/// # Cancellation
///
/// Dropping it does not undo the operation, which may have happened.
#[must_use = "the operation may not have begun"]
pub enum Reply<'a, T> {
    /// There already.
    #[doc(hidden)]
    Now(Option<Result<T, StoreError>>),
    /// On its way.
    #[doc(hidden)]
    Later(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is there.
    pub fn now(answer: Result<T, StoreError>) -> Self {
        Self::Now(Some(answer))
    }

    /// An answer that has to be waited for.
    pub fn later(answer: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Self::Later(Box::pin(answer))
    }
}

impl<T: Unpin> Future for Reply<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            // Polled again after its end, which nobody may do, it waits for ever.
            Self::Now(answer) => answer.take().map_or(Poll::Pending, Poll::Ready),
            Self::Later(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl<T> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Reply::Now",
            Self::Later(_) => "Reply::Later",
        })
    }
}

/// What a caller asks for.
///
/// # Example: with the defaults of the attribute
///
/// ```
/// use std::time::Duration;
/// use steadfast::idempotent::Claim;
///
/// let claim = Claim::new(1);
/// assert_eq!(claim.lease, Duration::from_secs(30));
/// assert_eq!(claim.ttl, Duration::from_secs(24 * 3_600));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Who asks: one for each call, made before the claim is sent, so that a claim whose reply was lost
    /// can be sent again.
    pub owner: u128,
    /// What the key stands for.
    pub fingerprint: Fingerprint,
    /// How long the owner is believed to be alive without a sign of life.
    pub lease: Duration,
    /// How long the result is kept, from the claim on; at least half of that from the end on.
    pub ttl: Duration,
    /// After how many runs that were cut off the key is not taken over any more; 0 for none at all.
    pub max_interruptions: u32,
}

impl Claim {
    /// A claim with the attribute's defaults, by this owner.
    ///
    /// # Example: two calls
    ///
    /// ```
    /// use steadfast::idempotent::Claim;
    ///
    /// assert_ne!(Claim::new(1), Claim::new(2));
    /// ```
    pub const fn new(owner: u128) -> Self {
        Self {
            owner,
            fingerprint: Fingerprint::NONE,
            lease: Duration::from_secs(30),
            ttl: Duration::from_secs(24 * 3_600),
            max_interruptions: 3,
        }
    }

    /// Sets what the key stands for.
    #[must_use]
    pub const fn fingerprint(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = fingerprint;
        self
    }

    /// Sets the lease.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Sets how long the result is kept.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// Sets how often a run may have been cut off.
    #[must_use]
    pub const fn max_interruptions(mut self, most: u32) -> Self {
        self.max_interruptions = most;
        self
    }
}

/// What came of a claim.
#[derive(Debug)]
pub enum Claimed {
    /// The caller holds the key, and is to run what it stands for.
    Acquired(Acquired),
    /// It has succeeded before, with this.
    Done(Stored),
    /// It has failed for good before, with this.
    Failed(Stored),
    /// Somebody runs it.
    InProgress {
        /// How long the owner is still believed to be alive without a sign of life.
        remaining: Duration,
        /// What ends when the record changes, if the store can tell. If it cannot, one of the calls that
        /// wait in this process asks again, after 25 ms and ever more seldom, up to a second.
        changed: Option<Changed>,
    },
    /// A run was cut off, and it may not be run again.
    Interrupted {
        /// How many claims there were.
        attempts: u32,
        /// How many of the runs were cut off.
        interruptions: u32,
    },
    /// The key stands for something else.
    Mismatch,
}

/// A key that the caller holds.
///
/// # Example: the first run
///
/// ```
/// use steadfast::idempotent::{Acquired, Claim, Record};
///
/// let (_, acquired) = Record::new(&Claim::new(1), 0, 7);
/// assert_eq!(acquired, Acquired { token: 7, attempt: 1, interruptions: 0, took_over: false });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// The fencing token.
    pub token: u64,
    /// Which claim of the key it is, from 1.
    pub attempt: u32,
    /// How many of the runs before were cut off.
    pub interruptions: u32,
    /// Whether the run just before was cut off, and nobody has said what came of it.
    pub took_over: bool,
}

/// Ends when a record has changed, or may have.
pub struct Changed(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Changed {
    /// Ends with this future, which must not miss a change that came before it is polled.
    ///
    /// # Example: of a store that notifies
    ///
    /// ```
    /// use std::sync::Arc;
    /// use steadfast::idempotent::Changed;
    /// use tokio::sync::Notify;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notify = Arc::new(Notify::new());
    /// let changed = Changed::new(Arc::clone(&notify).notified_owned());
    /// notify.notify_waiters();
    /// changed.await;
    /// # }
    /// ```
    pub fn new(change: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(change))
    }
}

impl Future for Changed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Changed")
    }
}

/// Whether a write that a token guards was made.
///
/// # Example: an owner that was superseded
///
/// ```
/// use steadfast::idempotent::{Claim, Record, Written};
///
/// let (mut record, _) = Record::new(&Claim::new(1), 0, 7);
/// assert_eq!(record.release(6, 0), Written::LeaseLost);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a write that was not made says that another owner has taken over"]
pub enum Written {
    /// It was not: the record is no longer that of this token.
    LeaseLost,
    /// It was, now or before.
    Yes,
}

/// A key and its record, as somebody found them.
///
/// # Example: what an operator sees
///
/// ```
/// use steadfast::idempotent::{Claim, Found, Key, Record};
///
/// let (record, _) = Record::new(&Claim::new(1), 0, 7);
/// let found = Found::new(Key::new("shop::charge", &17)?, record, 0);
/// assert_eq!(found.key.to_string(), "shop::charge(17)");
/// assert!(!found.is_interrupted());
/// # Ok::<(), steadfast::idempotent::Unencodable>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The key.
    pub key: Key,
    /// Its record.
    pub record: Record,
    /// The store's clock, when it was found.
    pub now: u64,
}

impl Found {
    /// What a store has found, by its clock.
    pub const fn new(key: Key, record: Record, now: u64) -> Self {
        Self { key, record, now }
    }

    /// Whether a run was cut off, and nobody has said what came of it.
    pub fn is_interrupted(&self) -> bool {
        self.record.is_interrupted(self.now)
    }
}

/// What an operator has found out about an interrupted key.
///
/// # Example: it did happen
///
/// ```
/// use steadfast::idempotent::{Resolution, Stored};
///
/// let done = Resolution::Done(Stored::of(&"receipt 4711"));
/// assert_ne!(done, Resolution::DidNotHappen);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It did not happen, and cannot any more, as the process that was cut off is gone: the next call runs
    /// it.
    DidNotHappen,
    /// It happened: the next call gets this.
    Done(Stored),
    /// It failed for good: the next call gets this error, if the function caches errors.
    Failed(Stored),
}

/// How many records there are, by what has come of them. Those that have expired are not counted.
///
/// # Example: how many in all
///
/// ```
/// use steadfast::idempotent::Counts;
///
/// assert_eq!(Counts::default().all(), 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Those that succeeded.
    pub done: u64,
    /// Those that failed for good.
    pub failed: u64,
    /// Those that somebody runs.
    pub in_progress: u64,
    /// Those whose runs were cut off.
    pub interrupted: u64,
    /// Those that did not happen, and may run again.
    pub released: u64,
}

impl Counts {
    /// All of them.
    pub const fn all(&self) -> u64 {
        self.done + self.failed + self.in_progress + self.interrupted + self.released
    }

    /// Counts one more.
    ///
    /// # Example: by its state
    ///
    /// ```
    /// use steadfast::idempotent::{Claim, Counts, Record};
    ///
    /// let mut counts = Counts::default();
    /// counts.add(&Record::new(&Claim::new(1), 0, 7).0, 0);
    /// assert_eq!((counts.in_progress, counts.all()), (1, 1));
    /// ```
    pub fn add(&mut self, record: &Record, now: u64) {
        use super::record::State;

        let count = match record.state {
            _ if record.is_expired(now) => return,
            _ if record.is_interrupted(now) => &mut self.interrupted,
            State::Done(_) => &mut self.done,
            State::Failed(_) => &mut self.failed,
            State::InProgress | State::Interrupted => &mut self.in_progress,
            State::Released => &mut self.released,
        };
        *count += 1;
    }
}

/// Why a store has no answer.
///
/// # Example: a store that is down
///
/// ```
/// use steadfast::idempotent::StoreError;
///
/// let error = StoreError::unavailable(std::io::Error::other("connection refused"));
/// assert_eq!(error.to_string(), "it has failed: connection refused");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// What it holds, or answers, is not what it should be.
    Corrupt(Arc<dyn error::Error + Send + Sync>),
    /// It has no room for another key.
    Full,
    /// It cannot be reached, or has failed; what was asked for may have happened.
    Unavailable(Arc<dyn error::Error + Send + Sync>),
}

impl StoreError {
    /// It cannot be reached, for this reason.
    pub fn unavailable(why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(why.into()))
    }

    /// What it holds is not what it should be, for this reason.
    pub fn corrupt(why: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {
        Self::Corrupt(Arc::from(why.into()))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(why) => write!(f, "it holds what it should not: {why}"),
            Self::Full => f.write_str("it has no room for another key"),
            Self::Unavailable(why) => write!(f, "it has failed: {why}"),
        }
    }
}

impl error::Error for StoreError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Corrupt(why) | Self::Unavailable(why) => Some(&**why),
            Self::Full => None,
        }
    }
}
