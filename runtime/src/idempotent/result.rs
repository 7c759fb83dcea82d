//! How a result is kept and read again.

use std::io;

use serde_core::{Serialize, de::DeserializeOwned};

use super::{record::Stored, store::StoreError};

/// A result that can be kept; every `T: Serialize + DeserializeOwned` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`#[idempotent]` cannot keep a `{Self}` for the duplicates of a call",
    label = "needs `serde::Serialize` and `serde::Deserialize`",
    note = "on your own type: `#[derive(serde::Serialize, serde::Deserialize)]`; it is kept as JSON",
    note = "for what cannot be, return what a duplicate needs, such as an id; annotate what a handler calls, and not the handler",
    note = "for an error enum of `cache_err`: `#[serde(skip)]` on the variant that holds a `steadfast::Error`, which is never kept"
)]
pub trait Keep: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Keep for T {}

impl Stored {
    /// The JSON of a value, if it is no more than 256 KiB.
    ///
    /// # Example: what has no JSON
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use steadfast::idempotent::Stored;
    ///
    /// let keyed_by_pairs = HashMap::from([((1, 2), 3)]);
    /// assert_eq!(Stored::of(&keyed_by_pairs), Stored::Unserializable);
    /// ```
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Self {
        let mut json = Limited { few: [0; A_FEW], many: Vec::new(), size: 0 };
        match serde_json::to_writer(&mut json, value) {
            Ok(()) if json.size > MOST_BYTES => Self::TooLarge { size: json.size as u64 },
            Ok(()) if json.size > A_FEW => Self::Json(json.many.into()),
            Ok(()) => Self::Json(json.few[..json.size].into()),
            Err(_) => Self::Unserializable,
        }
    }

    /// Reads it again; `None` if it is not what such a value looks like, or was not kept.
    ///
    /// # Example: a type that has changed
    ///
    /// ```
    /// use steadfast::idempotent::Stored;
    ///
    /// assert_eq!(Stored::of(&17).read::<u8>(), Some(17));
    /// assert_eq!(Stored::of(&"17").read::<u8>(), None);
    /// ```
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        match self {
            Self::Json(json) => serde_json::from_slice(json).ok(),
            Self::TooLarge { .. } | Self::Unserializable => None,
        }
    }
}

impl Stored {
    /// Makes room for itself where the store has none: that it happened is what must be kept.
    pub(super) fn give_way(&mut self, error: &StoreError) {
        if let (Self::Json(json), StoreError::Full) = (&*self, error) {
            *self = Self::TooLarge { size: json.len() as u64 };
        }
    }
}

/// Needs no allocation for a few bytes; counts what is too much, and does not keep it.
struct Limited {
    few: [u8; A_FEW],
    /// All of them, once there are more.
    many: Vec<u8>,
    size: usize,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let start = self.size;
        self.size = start.saturating_add(bytes.len());
        if let Some(room) = self.few.get_mut(start..self.size) {
            room.copy_from_slice(bytes);
        } else if self.size > MOST_BYTES {
            self.many = Vec::new();
        } else {
            if start <= A_FEW {
                self.many.extend_from_slice(&self.few[..start]);
            }
            self.many.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What most results have room in.
const A_FEW: usize = 128;
const MOST_BYTES: usize = 256 << 10;

/// How the errors of a function are kept, where its attribute says `cache_err`.
#[derive(Debug)]
pub struct Errors<E> {
    pub(super) keep: fn(&E) -> Stored,
    pub(super) read: fn(&Stored) -> Option<E>,
}

impl<E: Keep> Errors<E> {
    /// As JSON.
    #[expect(clippy::new_without_default, reason = "an expansion makes one, in its place")]
    pub fn new() -> Self {
        Self { keep: Stored::of, read: Stored::read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_same_json_at_every_length() {
        for length in (0..400).chain([MOST_BYTES - 2]) {
            let text = "x".repeat(length);
            let json = serde_json::to_vec(&text).expect("a text");
            assert_eq!(Stored::of(&text), Stored::Json(json.into()), "{length}");
        }
        let list: Vec<u32> = (0..500).collect();
        assert_eq!(Stored::of(&list).read::<Vec<u32>>(), Some(list));
        let size = MOST_BYTES as u64 + 1;
        assert_eq!(Stored::of(&"x".repeat(MOST_BYTES - 1)), Stored::TooLarge { size });
    }
}
