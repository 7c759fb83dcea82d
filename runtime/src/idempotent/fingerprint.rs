use std::fmt;

use hmac_sha256::Hash;
use serde_core::Serialize;

use super::encode::{Buffer, Unencodable, encode};

/// What a key stands for, in 32 bytes: a call with the same key and another fingerprint is another
/// request by mistake.
///
/// Up to 30 bytes of the canonical encoding are kept as they are, more as a SHA-256.
///
/// # Example: the amount of an order
///
/// ```
/// use steadfast::idempotent::Fingerprint;
///
/// let of = |amount: u64| Fingerprint::new(&amount);
/// assert!(of(100)?.differs_from(of(99)?));
/// assert!(!of(100)?.differs_from(Fingerprint::NONE));
/// # Ok::<(), steadfast::idempotent::Unencodable>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The first byte says what the others are, by the first version of how it is made.
const DIGEST: u8 = 0xFE;
const NOTHING: u8 = 0xFF;
const MOST_AS_THEY_ARE: usize = 30;

impl Fingerprint {
    /// Of a call whose attribute names none: differs from no other.
    pub const NONE: Self = Self([NOTHING; 32]);

    /// The fingerprint of a value.
    ///
    /// # Errors
    ///
    /// [`Unencodable::Unserializable`] if its `Serialize` fails.
    ///
    /// # Example: of several values
    ///
    /// ```
    /// use steadfast::idempotent::Fingerprint;
    ///
    /// assert_ne!(Fingerprint::new(&("eu", 100)), Fingerprint::new(&("us", 100)));
    /// ```
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, Unencodable> {
        let mut buffer = Buffer::new();
        encode(value, &mut buffer)?;
        let bytes = buffer.as_slice();
        let mut print = [0; 32];
        if bytes.len() <= MOST_AS_THEY_ARE {
            print[0] = u8::try_from(bytes.len()).unwrap_or(DIGEST);
            print[1..=bytes.len()].copy_from_slice(bytes);
        } else {
            print[0] = DIGEST;
            print[1..].copy_from_slice(&Hash::hash(bytes)[..31]);
        }
        Ok(Self(print))
    }

    /// Whether two calls with these are not the same. One without a fingerprint does not say, so that
    /// an attribute can be given one while its keys are in use.
    ///
    /// # Example: one that does not say
    ///
    /// ```
    /// use steadfast::idempotent::Fingerprint;
    ///
    /// assert!(!Fingerprint::NONE.differs_from(Fingerprint::new(&1)?));
    /// # Ok::<(), steadfast::idempotent::Unencodable>(())
    /// ```
    pub fn differs_from(self, other: Self) -> bool {
        self != other && self != Self::NONE && other != Self::NONE
    }

    /// The bytes, for a store.
    ///
    /// # Example: there and back
    ///
    /// ```
    /// use steadfast::idempotent::Fingerprint;
    ///
    /// let print = Fingerprint::new("eu")?;
    /// assert_eq!(Fingerprint::from_bytes(*print.as_bytes()), print);
    /// # Ok::<(), steadfast::idempotent::Unencodable>(())
    /// ```
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes back what [`as_bytes`](Self::as_bytes) gave.
    ///
    /// # Example: from a store
    ///
    /// ```
    /// use steadfast::idempotent::Fingerprint;
    ///
    /// let stored = *Fingerprint::NONE.as_bytes();
    /// assert_eq!(Fingerprint::from_bytes(stored), Fingerprint::NONE);
    /// ```
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(")?;
        for byte in &self.0[..8] {
            write!(f, "{byte:02x}")?;
        }
        f.write_str("..)")
    }
}
