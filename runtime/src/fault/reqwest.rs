use ::reqwest::Error;

use super::{Class, Fault};

/// By how far the request came.
///
/// | error | class |
/// |---|---|
/// | could not connect | transient |
/// | timed out, connection lost, body cut off | ambiguous |
/// | a status, through `error_for_status` | that of the status; it keeps no headers, so ask [`of_response`](super::of_response) before, if the peer sends `Retry-After` |
/// | could not build the request, too many redirects, a body that does not decode | permanent |
impl Fault for Error {
    fn class(&self) -> Class {
        if let Some(status) = self.status() {
            return status.class();
        }
        if self.is_connect() {
            return Class::Transient;
        }
        if self.is_builder() || self.is_redirect() {
            return Class::Permanent;
        }
        // A reply that is cut off while it is decoded has an I/O error or a timeout behind it.
        if self.is_decode() && !self.is_timeout() {
            return Class::Permanent;
        }
        Class::Ambiguous
    }
}
