use std::io::{Error, ErrorKind};

use super::{Class, Fault, chain};

/// By its kind, unless it wraps an error that knows better.
///
/// | kind | class |
/// |---|---|
/// | connection refused, host or network unreachable or down, address not available, not connected, would block, interrupted, resource busy | transient |
/// | timed out, connection reset or aborted, broken pipe, unexpected end of file | ambiguous |
/// | every other | permanent |
impl Fault for Error {
    fn class(&self) -> Class {
        if let Some(class) = self.get_ref().and_then(|inner| chain::known(inner)) {
            return class;
        }
        match self.kind() {
            ErrorKind::AddrNotAvailable
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::Interrupted
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotConnected
            | ErrorKind::ResourceBusy
            | ErrorKind::WouldBlock => Class::Transient,
            ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::TimedOut
            | ErrorKind::UnexpectedEof => Class::Ambiguous,
            _ => Class::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn by_kind() {
        for (kind, class) in [
            (ErrorKind::ConnectionRefused, Class::Transient),
            (ErrorKind::ConnectionReset, Class::Ambiguous),
            (ErrorKind::TimedOut, Class::Ambiguous),
            (ErrorKind::NotFound, Class::Permanent),
        ] {
            assert_eq!(Error::from(kind).class(), class, "{kind}");
        }
    }

    #[test]
    fn the_wrapped_error_knows_better() {
        let refusal =
            crate::Error::DeadlineExceeded { function: "f", late: Duration::ZERO, started: false };
        let error = Error::from(refusal);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(error.class(), Class::Transient);
    }
}
