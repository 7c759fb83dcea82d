use std::{
    borrow::Cow,
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    ptr,
    sync::LazyLock,
};

use serde_core::Serialize;

use super::encode::{self, Buffer, Unencodable, encode, encode_key};

/// What a call is told apart by: the function's scope, perhaps a tenant, and the key itself.
///
/// The attribute makes it. You need one to look at a record, or to resolve it: the scope is the
/// function's module and name, or what its attribute says.
///
/// The bytes are canonical: typed and length-prefixed, so that `("a-b", "c")` is not `("a", "b-c")`,
/// `1` is not `"1"`, and the same value is the same bytes in every process and release. All widths of
/// integers are one type, a newtype is what is in it, `Some(7)` is `7`, and the order of a map or of a
/// struct's fields does not matter. That of a list does, and a `HashSet` is one: it has another order each
/// time, and is no key. So two keys are equal if their values are, and never because a hash is:
/// up to 160 bytes are kept as they are; a longer key is the SHA-256 of them.
///
/// # Example: the key of a call
///
/// ```
/// use steadfast::idempotent::Key;
///
/// let key = Key::new("shop::charge", &("eu", 17))?;
/// assert_eq!(key.to_string(), r#"shop::charge("eu", 17)"#);
/// assert_ne!(key, Key::new("shop::charge", &("eu", "17"))?);
/// # Ok::<(), steadfast::idempotent::Unencodable>(())
/// ```
#[derive(Clone)]
pub struct Key {
    /// Keyed by chance for each process, so that nobody can make the memory store slow.
    hash: u64,
    scope: Cow<'static, str>,
    /// The tenant, or none, and the key.
    bytes: Buffer,
}

impl Key {
    /// The key of a call of the function with this scope.
    ///
    /// # Errors
    ///
    /// [`Unencodable`]: the key is `None` or has one in a tuple, or its `Serialize` fails.
    ///
    /// # Example: what is no key
    ///
    /// ```
    /// use steadfast::idempotent::{Key, Unencodable};
    ///
    /// let header: Option<&str> = None;
    /// assert!(matches!(Key::new("shop::charge", &header), Err(Unencodable::Missing)));
    /// assert!(matches!(Key::new("shop::charge", &("eu", header)), Err(Unencodable::Missing)));
    /// ```
    pub fn new<K>(scope: impl Into<Cow<'static, str>>, key: &K) -> Result<Self, Unencodable>
    where
        K: Serialize + ?Sized,
    {
        Self::of_tenant(scope, None::<&()>, key)
    }

    /// The key of a call of the function with this scope, for a tenant.
    ///
    /// # Errors
    ///
    /// [`Unencodable`], as of [`new`](Self::new); so is a tenant that is `Some` of what is no key.
    ///
    /// # Example: tenants do not meet
    ///
    /// ```
    /// use steadfast::idempotent::Key;
    ///
    /// let [ours, theirs] = ["a", "b"].map(|tenant| Key::of_tenant("shop::charge", Some(tenant), &17));
    /// assert_ne!(ours?, theirs?);
    /// # Ok::<(), steadfast::idempotent::Unencodable>(())
    /// ```
    pub fn of_tenant<T, K>(
        scope: impl Into<Cow<'static, str>>,
        tenant: Option<&T>,
        key: &K,
    ) -> Result<Self, Unencodable>
    where
        T: Serialize + ?Sized,
        K: Serialize + ?Sized,
    {
        let mut bytes = Buffer::new();
        match tenant {
            Some(tenant) => encode_key(tenant, &mut bytes)?,
            None => encode(&None::<()>, &mut bytes)?,
        }
        encode_key(key, &mut bytes)?;
        if bytes.as_slice().len() > LONGEST {
            bytes = encode::digest(bytes.as_slice());
        }
        Ok(Self::from_parts(scope.into(), bytes))
    }

    fn from_parts(scope: Cow<'static, str>, bytes: Buffer) -> Self {
        // Who calls may choose the bytes, and who writes the program the scope: so the bytes go through the
        // keyed hash, and the end of the scope, which keeps functions apart, is mixed in.
        let mut end = [0; 8];
        let tail = scope.len().min(8);
        end[..tail].copy_from_slice(&scope.as_bytes()[scope.len() - tail..]);
        let mut hasher = HASHER.build_hasher();
        hasher.write(bytes.as_slice());
        let hash = hasher.finish() ^ u64::from_le_bytes(end).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self { hash, scope, bytes }
    }

    /// What a map in memory finds it by.
    pub(super) const fn hash_bits(&self) -> u64 {
        self.hash
    }

    /// The function's scope.
    ///
    /// # Example: of a listed key
    ///
    /// ```
    /// use steadfast::idempotent::Key;
    ///
    /// assert_eq!(Key::new("shop::charge", &17)?.scope(), "shop::charge");
    /// # Ok::<(), steadfast::idempotent::Unencodable>(())
    /// ```
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// All of it in bytes, for a store: the same in every process and release.
    ///
    /// # Example: there and back
    ///
    /// ```
    /// use steadfast::idempotent::Key;
    ///
    /// let key = Key::new("shop::charge", &17)?;
    /// assert_eq!(Key::from_bytes(&key.to_bytes()), Some(key));
    /// # Ok::<(), steadfast::idempotent::Unencodable>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Buffer::new();
        encode::text(&self.scope, &mut bytes);
        bytes.extend(self.bytes.as_slice());
        bytes.into_vec()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) has made; `None` if it was something else.
    ///
    /// # Example: something else
    ///
    /// ```
    /// use steadfast::idempotent::Key;
    ///
    /// assert_eq!(Key::from_bytes(b"something else"), None);
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (scope, rest) = encode::read_text(bytes)?;
        let after_tenant = encode::read(rest, &mut String::new())?;
        if !after_tenant.is_empty() && !encode::read(after_tenant, &mut String::new())?.is_empty() {
            return None;
        }
        let mut buffer = Buffer::new();
        buffer.extend(rest);
        Some(Self::from_parts(scope.to_owned().into(), buffer))
    }
}

/// What hashes the key is no secret: the process's key for it is.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Longer keys are digested: stores have limits, and nobody reads so much at 3 am.
const LONGEST: usize = 160;

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
            && self.bytes.as_slice() == other.bytes.as_slice()
            && (ptr::eq(self.scope(), other.scope()) || self.scope == other.scope)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// As a person reads it: `shop::charge("eu", 17)`, with a tenant `shop::charge["acme"](17)`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scope)?;
        let mut tenant = String::new();
        let Some(rest) = encode::read(self.bytes.as_slice(), &mut tenant) else { return Ok(()) };
        let mut key = String::new();
        if rest.is_empty() {
            // A digest stands for both.
            return write!(f, "({tenant})");
        }
        if tenant != encode::NOTHING {
            write!(f, "[{tenant}]")?;
        }
        let _ = encode::read(rest, &mut key);
        match key.strip_prefix('(') {
            Some(_) => f.write_str(&key),
            None => write!(f, "({key})"),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}
