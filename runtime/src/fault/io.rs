use std::io::{Error, ErrorKind};

use super::{Class, Fault, chain};

/// By its kind, unless it wraps an error that knows better.
///
/// | kind | class |
/// |---|---|
/// | connection refused, address not available, interrupted, resource busy | transient |
/// | timed out, would block, connection reset or aborted, not connected, broken pipe, unexpected end of file, host or network unreachable or down | ambiguous |
/// | every other | permanent |
///
/// What can also be told of a connection that was open is ambiguous: a host becomes unreachable
/// after the request has gone out, and "would block" is how a blocking socket tells of its timeout.
impl Fault for Error {
    fn class(&self) -> Class {
        if let Some(class) = self.get_ref().and_then(|inner| chain::known(inner)) {
            return class;
        }
        match self.kind() {
            ErrorKind::AddrNotAvailable
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
            | ErrorKind::ResourceBusy => Class::Transient,
            ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotConnected
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof
            | ErrorKind::WouldBlock => Class::Ambiguous,
            _ => Class::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_kind() {
        for (kind, class) in [
            (ErrorKind::ConnectionRefused, Class::Transient),
            (ErrorKind::ConnectionReset, Class::Ambiguous),
            (ErrorKind::TimedOut, Class::Ambiguous),
            (ErrorKind::WouldBlock, Class::Ambiguous),
            (ErrorKind::HostUnreachable, Class::Ambiguous),
            (ErrorKind::NotFound, Class::Permanent),
        ] {
            assert_eq!(Error::from(kind).class(), class, "{kind}");
        }
    }

    #[test]
    fn the_wrapped_error_knows_better() {
        let refused = Error::from(ErrorKind::ConnectionRefused);
        let error = Error::new(ErrorKind::InvalidData, refused);
        assert_eq!(error.class(), Class::Transient);
    }
}
