//! The canonical encoding of keys and fingerprints: typed, prefix-free, and the same for ever.
//!
//! | value | bytes |
//! |---|---|
//! | `None`, `()` | `n`, `u` |
//! | `false`, `true` | `f`, `t` |
//! | an integer | `+` or `-`, how many bytes, the magnitude in big-endian |
//! | `f32`, `f64` | `d`, the bits of the `f64` |
//! | text, `char` | `s`, the length in 4 bytes, UTF-8 |
//! | bytes | `b`, the length in 4 bytes, the bytes |
//! | a sequence, a tuple | `(`, the elements, `)` |
//! | a map, a struct | `{`, the pairs in the order of their keys' bytes, `}` |
//! | a variant of an enum | `v`, its name as text, what it carries or `u` |
//! | a digest in the place of too much | `#`, 32 bytes of SHA-256 |

use std::{error, fmt, fmt::Write};

use hmac_sha256::Hash;
use serde_core::{
    Serialize, Serializer,
    ser::{
        self, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
        SerializeTupleStruct, SerializeTupleVariant,
    },
};

/// Why a value is no key, or no fingerprint.
///
/// # Example: no key at all
///
/// ```
/// use steadfast::idempotent::{Key, Unencodable};
///
/// assert_eq!(Key::new("shop::charge", &None::<u64>), Err(Unencodable::Missing));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unencodable {
    /// It is `None`, or a tuple with a `None` in it: nothing to tell one call from another by.
    Missing,
    /// Its `Serialize` failed, and says why.
    Unserializable(String),
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is none"),
            Self::Unserializable(why) => write!(f, "it cannot be serialised: {why}"),
        }
    }
}

impl error::Error for Unencodable {}

impl ser::Error for Unencodable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Unserializable(message.to_string())
    }
}

/// Encodes what a call is told apart by: nothing is no key.
pub(super) fn encode_key<T>(value: &T, into: &mut Buffer) -> Result<(), Unencodable>
where
    T: Serialize + ?Sized,
{
    value.serialize(Encoder { into, is_key: true })
}

/// Encodes any value.
pub(super) fn encode<T: Serialize + ?Sized>(
    value: &T,
    into: &mut Buffer,
) -> Result<(), Unencodable> {
    value.serialize(Encoder { into, is_key: false })
}

/// What stands for more bytes than one wants to keep.
pub(super) fn digest(bytes: &[u8]) -> Buffer {
    let mut buffer = Buffer::new();
    buffer.push(b'#');
    buffer.extend(&Hash::hash(bytes));
    buffer
}

pub(super) fn text(text: &str, into: &mut Buffer) {
    into.push(b's');
    into.prefixed(text.as_bytes());
}

/// Bytes that need no allocation while they are few.
#[derive(Clone)]
pub(super) enum Buffer {
    Few([u8; FEW], u8),
    Many(Vec<u8>),
}

/// A UUID as text, with its tags, and some room.
const FEW: usize = 46;

impl Buffer {
    pub(super) const fn new() -> Self {
        Self::Few([0; FEW], 0)
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Few(bytes, length) => &bytes[..usize::from(*length)],
            Self::Many(bytes) => bytes,
        }
    }

    pub(super) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Few(..) => self.as_slice().to_vec(),
            Self::Many(bytes) => bytes,
        }
    }

    fn push(&mut self, byte: u8) {
        match self {
            Self::Few(bytes, length) if usize::from(*length) < FEW => {
                bytes[usize::from(*length)] = byte;
                *length += 1;
            }
            _ => self.extend(&[byte]),
        }
    }

    pub(super) fn extend(&mut self, more: &[u8]) {
        match self {
            Self::Few(bytes, length) => {
                let start = usize::from(*length);
                match bytes.get_mut(start..start + more.len()) {
                    Some(room) => {
                        room.copy_from_slice(more);
                        *length += u8::try_from(more.len()).unwrap_or(0);
                    }
                    None => *self = Self::Many([&bytes[..start], more].concat()),
                }
            }
            Self::Many(bytes) => bytes.extend_from_slice(more),
        }
    }

    fn prefixed(&mut self, bytes: &[u8]) {
        // More than four gigabytes end up as a digest of all of them.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.extend(&length.to_be_bytes());
        self.extend(bytes);
    }

    fn small_integer(&mut self, magnitude: u64) {
        let length = 8 - magnitude.leading_zeros() / 8;
        // All eight bytes are copied, and only those that count are kept: a copy of a known size.
        let significant = magnitude.checked_shl(8 * (8 - length)).unwrap_or(0).to_be_bytes();
        match self {
            Self::Few(bytes, end) if usize::from(*end) + 10 <= FEW => {
                let start = usize::from(*end);
                bytes[start] = b'+';
                bytes[start + 1] = u8::try_from(length).unwrap_or(8);
                bytes[start + 2..start + 10].copy_from_slice(&significant);
                *end += 2 + u8::try_from(length).unwrap_or(8);
            }
            _ => self.integer(b'+', magnitude.into()),
        }
    }

    fn integer(&mut self, sign: u8, magnitude: u128) {
        let bytes = magnitude.to_be_bytes();
        let first = (magnitude.leading_zeros() / 8) as usize;
        let significant = &bytes[first..];
        self.extend(&[sign, u8::try_from(significant.len()).unwrap_or(16)]);
        self.extend(significant);
    }
}

struct Encoder<'b> {
    into: &'b mut Buffer,
    /// Whether it is the key itself, or an element of it, that is encoded.
    is_key: bool,
}

/// A sequence or a tuple.
struct Elements<'b>(Encoder<'b>);

/// A map or a struct: its pairs, to be put in order.
struct Pairs<'b> {
    into: &'b mut Buffer,
    encoded: Vec<(Vec<u8>, Vec<u8>)>,
    key: Vec<u8>,
}

type Encoded = Result<(), Unencodable>;

impl<'b> Encoder<'b> {
    fn elements(self) -> Elements<'b> {
        self.into.push(b'(');
        Elements(self)
    }

    fn pairs(self, count: usize) -> Pairs<'b> {
        Pairs { into: self.into, encoded: Vec::with_capacity(count.min(64)), key: Vec::new() }
    }

    fn variant(self, name: &str) -> Self {
        self.into.push(b'v');
        self.into.prefixed(name.as_bytes());
        Self { is_key: false, ..self }
    }
}

impl<'b> Serializer for Encoder<'b> {
    type Ok = ();
    type Error = Unencodable;
    type SerializeSeq = Elements<'b>;
    type SerializeTuple = Elements<'b>;
    type SerializeTupleStruct = Elements<'b>;
    type SerializeTupleVariant = Elements<'b>;
    type SerializeMap = Pairs<'b>;
    type SerializeStruct = Pairs<'b>;
    type SerializeStructVariant = Pairs<'b>;

    fn serialize_bool(self, value: bool) -> Encoded {
        self.into.push(if value { b't' } else { b'f' });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Encoded {
        self.serialize_i128(value.into())
    }

    fn serialize_i16(self, value: i16) -> Encoded {
        self.serialize_i128(value.into())
    }

    fn serialize_i32(self, value: i32) -> Encoded {
        self.serialize_i128(value.into())
    }

    fn serialize_i64(self, value: i64) -> Encoded {
        self.serialize_i128(value.into())
    }

    fn serialize_i128(self, value: i128) -> Encoded {
        self.into.integer(if value < 0 { b'-' } else { b'+' }, value.unsigned_abs());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Encoded {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Encoded {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Encoded {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Encoded {
        self.into.small_integer(value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Encoded {
        self.into.integer(b'+', value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Encoded {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Encoded {
        // One zero and one NaN.
        let value = if value == 0.0 {
            0.0
        } else if value.is_nan() {
            f64::NAN
        } else {
            value
        };
        self.into.push(b'd');
        self.into.extend(&value.to_bits().to_be_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Encoded {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Encoded {
        text(value, self.into);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Encoded {
        self.into.push(b'b');
        self.into.prefixed(value);
        Ok(())
    }

    fn serialize_none(self) -> Encoded {
        if self.is_key {
            return Err(Unencodable::Missing);
        }
        self.into.push(b'n');
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Encoded {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Encoded {
        self.into.push(b'u');
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Encoded {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Encoded {
        self.variant(variant).serialize_unit()
    }

    fn serialize_newtype_struct<T>(self, _: &'static str, value: &T) -> Encoded
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Encoded
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self.variant(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'b>, Unencodable> {
        Ok(Self { is_key: false, ..self }.elements())
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'b>, Unencodable> {
        Ok(self.elements())
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Elements<'b>, Unencodable> {
        Ok(self.elements())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Elements<'b>, Unencodable> {
        Ok(self.variant(variant).elements())
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Pairs<'b>, Unencodable> {
        Ok(self.pairs(length.unwrap_or(0)))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Pairs<'b>, Unencodable> {
        Ok(self.pairs(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Pairs<'b>, Unencodable> {
        Ok(self.variant(variant).pairs(length))
    }
}

impl Elements<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded {
        value.serialize(Encoder { into: self.0.into, is_key: self.0.is_key })
    }

    #[expect(clippy::unnecessary_wraps, reason = "what the traits ask for")]
    fn close(self) -> Encoded {
        self.0.into.push(b')');
        Ok(())
    }
}

impl Pairs<'_> {
    fn pair<T: Serialize + ?Sized>(&mut self, key: Vec<u8>, value: &T) -> Encoded {
        let mut bytes = Buffer::new();
        encode(value, &mut bytes)?;
        self.encoded.push((key, bytes.into_vec()));
        Ok(())
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Encoded {
        let mut key = Buffer::new();
        text(name, &mut key);
        self.pair(key.into_vec(), value)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what the traits ask for")]
    fn close(mut self) -> Encoded {
        self.encoded.sort_unstable();
        self.into.push(b'{');
        for (key, value) in &self.encoded {
            self.into.extend(key);
            self.into.extend(value);
        }
        self.into.push(b'}');
        Ok(())
    }
}

macro_rules! of_elements {
    ($($kind:ident $method:ident),*) => {$(
        impl $kind for Elements<'_> {
            type Ok = ();
            type Error = Unencodable;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded {
                self.element(value)
            }

            fn end(self) -> Encoded {
                self.close()
            }
        }
    )*};
}

of_elements! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

macro_rules! of_fields {
    ($($kind:ident),*) => {$(
        impl $kind for Pairs<'_> {
            type Ok = ();
            type Error = Unencodable;

            fn serialize_field<T>(&mut self, name: &'static str, value: &T) -> Encoded
            where
                T: Serialize + ?Sized,
            {
                self.field(name, value)
            }

            fn end(self) -> Encoded {
                self.close()
            }
        }
    )*};
}

of_fields!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Pairs<'_> {
    type Ok = ();
    type Error = Unencodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Encoded {
        let mut bytes = Buffer::new();
        encode(key, &mut bytes)?;
        self.key = bytes.into_vec();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Encoded {
        let key = std::mem::take(&mut self.key);
        self.pair(key, value)
    }

    fn end(self) -> Encoded {
        self.close()
    }
}

/// What [`read`] writes for nothing.
pub(super) const NOTHING: &str = "none";

/// Writes a value as a person reads it, and gives back what comes after; `None` where the bytes are
/// not an encoding.
pub(super) fn read<'a>(bytes: &'a [u8], text: &mut String) -> Option<&'a [u8]> {
    let (&tag, rest) = bytes.split_first()?;
    match tag {
        b'n' => text.push_str(NOTHING),
        b'u' => text.push_str("()"),
        b'f' => text.push_str("false"),
        b't' => text.push_str("true"),
        b'+' | b'-' => {
            let (&length, rest) = rest.split_first()?;
            let (magnitude, rest) = rest.split_at_checked(length.into())?;
            let magnitude = magnitude.iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
            let sign = if tag == b'-' { "-" } else { "" };
            let _ = write!(text, "{sign}{magnitude}");
            return Some(rest);
        }
        b'd' => {
            let (bits, rest) = rest.split_first_chunk()?;
            let _ = write!(text, "{:?}", f64::from_bits(u64::from_be_bytes(*bits)));
            return Some(rest);
        }
        b's' => {
            let (value, rest) = read_text(bytes)?;
            let _ = write!(text, "{value:?}");
            return Some(rest);
        }
        b'b' => {
            let (value, rest) = read_prefixed(rest)?;
            write_hex(value, text);
            return Some(rest);
        }
        b'#' => {
            let (digest, rest) = rest.split_at_checked(32)?;
            text.push('#');
            write_hex(digest, text);
            return Some(rest);
        }
        b'(' => return read_list(rest, b')', "", text),
        b'{' => return read_list(rest, b'}', ": ", text),
        b'v' => {
            let (name, rest) = read_prefixed(rest)?;
            text.push_str(std::str::from_utf8(name).ok()?);
            if let Some((b'u', rest)) = rest.split_first() {
                return Some(rest);
            }
            text.push(' ');
            return read(rest, text);
        }
        _ => return None,
    }
    Some(rest)
}

/// The elements of a list, or the pairs of one whose keys end with `colon`.
fn read_list<'a>(
    mut rest: &'a [u8],
    close: u8,
    colon: &str,
    text: &mut String,
) -> Option<&'a [u8]> {
    text.push(if close == b')' { '(' } else { '{' });
    let mut separator = "";
    loop {
        let (&next, after) = rest.split_first()?;
        if next == close {
            text.push(close.into());
            return Some(after);
        }
        text.push_str(separator);
        separator = ", ";
        rest = read(rest, text)?;
        if !colon.is_empty() {
            text.push_str(colon);
            rest = read(rest, text)?;
        }
    }
}

pub(super) fn read_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (text, rest) = read_prefixed(rest)?;
    (tag == b's').then_some((std::str::from_utf8(text).ok()?, rest))
}

fn read_prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}

fn write_hex(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
        let mut buffer = Buffer::new();
        encode(value, &mut buffer).expect("it serialises");
        buffer.into_vec()
    }

    fn written<T: Serialize + ?Sized>(value: &T) -> String {
        let mut text = String::new();
        assert_eq!(read(&bytes(value), &mut text), Some(&[][..]));
        text
    }

    #[derive(Serialize)]
    struct Id(u64);

    #[derive(Serialize)]
    struct Order {
        id: u64,
        note: Option<&'static str>,
    }

    /// The same, declared in another order.
    #[derive(Serialize)]
    struct Ordered {
        note: Option<&'static str>,
        id: u64,
    }

    #[derive(Serialize)]
    enum Kind {
        Card,
        Cash(u8),
        Gift { code: &'static str },
    }

    #[test]
    fn a_short_way_comes_to_the_same() {
        for value in [0, 1, 255, 256, 1 << 31, u64::MAX >> 8, u64::MAX] {
            assert_eq!(bytes(&value), bytes(&u128::from(value)), "{value}");
            // Where there is no room for eight more.
            let (text, wide) = ("x".repeat(35), u128::from(value));
            assert_eq!(bytes(&(&text, value)), bytes(&(&text, wide)), "{value}");
        }
    }

    #[test]
    fn what_is_equal_to_a_user_is_equal() {
        assert_eq!(bytes(&7_u8), bytes(&7_i64));
        assert_eq!(bytes(&7_u128), bytes(&Id(7)));
        assert_eq!(bytes(&Some(7)), bytes(&7));
        assert_eq!(bytes("a"), bytes(&'a'));
        assert_eq!(bytes(&[1, 2]), bytes(&vec![1, 2]));
        assert_eq!(bytes(&0.0_f64), bytes(&-0.0_f32));
        assert_eq!(bytes(&Order { id: 1, note: None }), bytes(&Ordered { id: 1, note: None }));
        let pairs = [("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5), ("f", 6)];
        assert_eq!(bytes(&HashMap::from(pairs)), bytes(&BTreeMap::from(pairs)));
    }

    #[test]
    fn what_differs_to_a_user_differs() {
        let all = [
            bytes(&1),
            bytes(&-1),
            bytes("1"),
            bytes(&1.0),
            bytes(&true),
            bytes(&[1]),
            bytes(&[[1]]),
            bytes(&256),
            bytes(&0),
            bytes(""),
            bytes(&()),
            bytes(&None::<u8>),
            bytes(&("a-b", "c")),
            bytes(&("a", "b-c")),
            bytes(&("a", "b", "c")),
            bytes(&(("a", "b"), "c")),
            bytes(&("a", ("b", "c"))),
            bytes(&Kind::Card),
            bytes(&Kind::Cash(1)),
            bytes(&Kind::Gift { code: "" }),
            bytes("Card"),
            bytes(&Order { id: 1, note: None }),
            bytes(&Order { id: 1, note: Some("") }),
            bytes(&u128::MAX),
            bytes(&i128::MIN),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at} is there before");
        }
    }

    #[test]
    fn a_person_can_read_it() {
        assert_eq!(written(&("eu", 17, None::<u8>)), r#"("eu", 17, none)"#);
        assert_eq!(written(&Order { id: 1, note: Some("x") }), r#"{"id": 1, "note": "x"}"#);
        assert_eq!(written(&[Kind::Card, Kind::Cash(3)]), "(Card, Cash 3)");
        assert_eq!(written(&Kind::Gift { code: "q" }), r#"Gift {"code": "q"}"#);
        assert_eq!(written(&i128::MIN), i128::MIN.to_string());
        assert_eq!(written(&1.5_f32), "1.5");
    }

    #[test]
    fn nothing_is_no_key() {
        let missing = |result: Encoded| assert_eq!(result, Err(Unencodable::Missing));
        let key = |value: &dyn Fn(&mut Buffer) -> Encoded| value(&mut Buffer::new());
        missing(key(&|into| encode_key(&None::<u8>, into)));
        missing(key(&|into| encode_key(&("eu", None::<u8>), into)));
        missing(key(&|into| encode_key(&("eu", ("a", Some(None::<u8>))), into)));
        assert_eq!(key(&|into| encode_key(&("eu", Order { id: 1, note: None }), into)), Ok(()));
        assert_eq!(key(&|into| encode_key("", into)), Ok(()));
    }

    proptest! {
        #[test]
        fn no_two_lists_of_texts_meet(
            a in prop::collection::vec("[a-b(]{0,3}", 0..4),
            b in prop::collection::vec("[a-b(]{0,3}", 0..4),
        ) {
            prop_assert_eq!(a == b, bytes(&a) == bytes(&b));
        }

        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(&bytes, &mut String::new());
        }

        #[test]
        fn integers_read_as_they_were(value: i128) {
            prop_assert_eq!(written(&value), value.to_string());
        }
    }
}
