use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hmac_sha256::Hash;
use pin_project_lite::pin_project;

use super::{
    fingerprint::Fingerprint,
    key::Key,
    store::{Acquired, Claim, Store},
};

/// The call of an idempotent function that runs here.
///
/// # Panics
///
/// Outside the body of one, which is a mistake in the program: what runs there has no key to send on.
/// [`try_current`] asks first. A task that was spawned in the body is outside: take what it needs along.
///
/// # Example: a key for the next API
///
/// ```
/// use steadfast::idempotent::{self, current};
///
/// #[steadfast::idempotent(key = order)]
/// async fn charge(order: u64) -> Result<String, steadfast::Error> {
///     // …send it with the request, in each attempt…
///     Ok(current().downstream_key().to_string())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steadfast::Error> {
/// assert_eq!(charge(7).await?.len(), 36);
/// # Ok(())
/// # }
/// ```
pub fn current() -> Current {
    try_current()
        .expect("`steadfast::idempotent::current()` is for the body of an idempotent function")
}

/// The call of an idempotent function that runs here, if one does.
///
/// # Example: a helper that is used everywhere
///
/// ```
/// assert!(steadfast::idempotent::try_current().is_none());
/// ```
pub fn try_current() -> Option<Current> {
    // Not in a thread that ends.
    let call = RUNNING.try_with(|running| {
        let call = running.take();
        running.set(call.clone());
        call
    });
    call.ok().flatten().map(Current)
}

/// One run of an idempotent function, as its body sees it.
///
/// # Example: check first
///
/// ```
/// use steadfast::idempotent::current;
///
/// #[steadfast::idempotent(key = order)]
/// async fn ship(order: u64) -> Result<u64, steadfast::Error> {
///     if current().interrupted_before() {
///         // …ask the carrier whether it has the parcel…
///     }
///     Ok(order)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() { assert!(ship(7).await.is_ok()); }
/// ```
#[derive(Clone)]
pub struct Current(Arc<Running>);

/// What a run keeps for all that happens in it.
pub(super) struct Running {
    /// The number of the store that its key is held in; none in a transaction, where nobody waits for it.
    store: Option<u64>,
    pub(super) key: Key,
    pub(super) token: u64,
    pub(super) fingerprint: Fingerprint,
    pub(super) lease: Duration,
    pub(super) attempt: u32,
    pub(super) interruptions: u32,
    /// The run whose body has called this one.
    pub(super) outer: Option<Arc<Running>>,
}

impl Current {
    /// A key for the next API: the same in every attempt and every run with this key, in every process,
    /// and none that another function, tenant or key has. It looks like a UUID (of version 8), which
    /// every API takes, and is 122 bits of the SHA-256 of the key.
    pub fn downstream_key(&self) -> DownstreamKey {
        self.downstream_key_for("")
    }

    /// A key for one of several calls that the body makes to APIs which must not be taken for each other.
    pub fn downstream_key_for(&self, purpose: &str) -> DownstreamKey {
        let mut hash = Hash::new();
        hash.update(b"steadfast downstream key 1");
        for part in [&*self.0.key.to_bytes(), purpose.as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        DownstreamKey(bytes)
    }

    /// The fencing token: greater than that of every earlier run with this key. Hand it to a resource that
    /// refuses a smaller one than it has seen, and an owner that was superseded can do no harm. Zero where
    /// the store did not answer and `on_store_error = "run"` lets the body run all the same.
    pub fn fence(&self) -> u64 {
        self.0.token
    }

    /// Which run with this key it is, from 1, as long as its record was kept.
    pub fn attempt(&self) -> u32 {
        self.0.attempt
    }

    /// Whether a run with this key was cut off before: its effect may have happened.
    pub fn interrupted_before(&self) -> bool {
        self.0.interruptions > 0
    }

    /// The key.
    pub fn key(&self) -> &Key {
        &self.0.key
    }
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current")
            .field("key", &self.0.key)
            .field("fence", &self.0.token)
            .field("attempt", &self.0.attempt)
            .field("interruptions", &self.0.interruptions)
            .finish_non_exhaustive()
    }
}

/// A key that an idempotent function hands on: 36 characters, a UUID of version 8.
///
/// # Example: as a header
///
/// ```
/// use steadfast::idempotent::DownstreamKey;
///
/// fn header(key: DownstreamKey) -> (&'static str, String) {
///     ("Idempotency-Key", key.to_string())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DownstreamKey([u8; 16]);

impl DownstreamKey {
    /// The 16 bytes of the UUID.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = self.0;
        bytes[6] = bytes[6] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        bytes
    }
}

impl fmt::Display for DownstreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.to_bytes().into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DownstreamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DownstreamKey({self})")
    }
}

thread_local! {
    /// The run whose body is polled.
    static RUNNING: Cell<Option<Arc<Running>>> = const { Cell::new(None) };
    /// What the calls in a future that is [marked](mark) have been.
    static REPLAYED: Cell<Option<bool>> = const { Cell::new(None) };
}

/// The run that calls.
pub(super) fn outer() -> Option<Arc<Running>> {
    try_current().map(|Current(running)| running)
}

impl Running {
    pub(super) fn new(
        store: Option<&Store>,
        key: Key,
        claim: &Claim,
        acquired: Acquired,
        outer: Option<Arc<Self>>,
    ) -> Arc<Self> {
        let Acquired { token, attempt, interruptions, .. } = acquired;
        let (store, fingerprint, lease) =
            (store.map(Store::number), claim.fingerprint, claim.lease);
        Arc::new(Self { store, key, token, fingerprint, lease, attempt, interruptions, outer })
    }

    /// Whether a run of this key calls, at whatever remove.
    pub(super) fn holds(mut outer: Option<&Arc<Self>>, store: Option<&Store>, key: &Key) -> bool {
        let store = store.map(Store::number);
        while let Some(running) = outer {
            if running.key == *key && running.store == store {
                return true;
            }
            outer = running.outer.as_ref();
        }
        false
    }

    /// Polls a body in its run.
    pub(super) fn scope<T>(self: &Arc<Self>, poll: impl FnOnce() -> T) -> T {
        /// Puts back what was there, also when the body panics.
        struct Before(Option<Arc<Running>>, Option<bool>);

        impl Drop for Before {
            fn drop(&mut self) {
                RUNNING.set(self.0.take());
                REPLAYED.set(self.1);
            }
        }

        // What the body calls is not what the caller asks about.
        let _before = Before(RUNNING.replace(Some(Arc::clone(self))), REPLAYED.get());
        poll()
    }
}

/// Notes whether a call was a replay, for whoever asks.
pub(super) fn note(replayed: bool) {
    REPLAYED.set(Some(replayed));
}

/// Tells whether the idempotent call in a future was a replay.
///
/// The marker is that of the last idempotent call that the future itself awaits, not of those in that one's
/// body; `None` if there was none, or it failed before it was known.
///
/// # Example: 200 or 201
///
/// ```
/// use steadfast::idempotent::marked;
///
/// #[steadfast::idempotent(key = order)]
/// async fn charge(order: u64) -> Result<u64, steadfast::Error> {
///     Ok(order)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), steadfast::Error> {
/// let (_, replayed) = marked(charge(7)).await;
/// assert_eq!(replayed, Some(false));
/// let (receipt, replayed) = marked(charge(7)).await;
/// assert_eq!((receipt?, replayed), (7, Some(true)));
/// # Ok(())
/// # }
/// ```
pub fn marked<F: Future>(future: F) -> Marked<F> {
    Marked { future, replayed: None }
}

pin_project! {
    /// The future of [`marked`]: the output, and whether it is a replay.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Marked<F> {
        #[pin]
        future: F,
        replayed: Option<bool>,
    }
}

impl<F: Future> Future for Marked<F> {
    type Output = (F::Output, Option<bool>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        /// Puts back what was there, also when the future panics.
        struct Before(Option<bool>);

        impl Drop for Before {
            fn drop(&mut self) {
                REPLAYED.set(self.0);
            }
        }

        let this = self.project();
        let before = Before(REPLAYED.replace(*this.replayed));
        let polled = this.future.poll(cx);
        *this.replayed = REPLAYED.get();
        drop(before);
        polled.map(|output| (output, *this.replayed))
    }
}
