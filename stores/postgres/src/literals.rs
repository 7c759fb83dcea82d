//! What the functions of the schema are called with.

use steadfast::idempotent::{Claim, Stored};

use crate::statement::Literal;

pub(crate) fn claim_literals<'a>(
    key: &'a [u8],
    owner: &'a [u8; 16],
    claim: &'a Claim,
) -> [Literal<'a>; 6] {
    [
        Literal::Bytes(key),
        Literal::Bytes(owner),
        Literal::Bytes(claim.fingerprint.as_bytes()),
        Literal::Span(claim.lease),
        Literal::Span(claim.ttl),
        Literal::Number(claim.max_interruptions.into()),
    ]
}

pub(crate) fn complete_literals<'a>(
    key: &'a [u8],
    token: u64,
    succeeded: bool,
    result: &'a Stored,
) -> [Literal<'a>; 5] {
    let [json, size] = stored_literals(result);
    [Literal::Bytes(key), of(token), Literal::Truth(succeeded), json, size]
}

pub(crate) fn stored_literals(stored: &Stored) -> [Literal<'_>; 2] {
    match stored {
        Stored::Json(json) => [Literal::Bytes(json), Literal::Null],
        Stored::TooLarge { size } => [Literal::Null, of(*size)],
        Stored::Unserializable => [Literal::Null, Literal::Null],
    }
}

/// A token, or a size. The server has no greater ones.
pub(crate) fn of(number: u64) -> Literal<'static> {
    Literal::Number(i64::try_from(number).unwrap_or(i64::MAX))
}
