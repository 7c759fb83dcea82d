use std::{error::Error as _, time::Duration};

use ::tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt;

use super::{Class, Fault};

/// By its code, with the wait that the server asks for.
///
/// | code | class |
/// |---|---|
/// | `Unavailable`, `Aborted`, `ResourceExhausted`, if the server says when to come back | throttled |
/// | `Unavailable`, if no connection could be made | transient |
/// | `Unavailable` and `Aborted` else; `DeadlineExceeded`, `Cancelled`, `Unknown`, `Internal`, `DataLoss` | ambiguous |
/// | `ResourceExhausted` else (a quota); every other | permanent |
///
/// `Unavailable` and `Aborted` are also what becomes of a connection that was lost after the request
/// was sent.
///
/// "When to come back" is `google.rpc.RetryInfo` or the trailer `grpc-retry-pushback-ms`; a
/// negative or unreadable pushback means "do not retry" (gRFC A6).
impl Fault for Status {
    fn class(&self) -> Class {
        let asked = match pushback(self) {
            Some(Pushback::Never) => return Class::Permanent,
            Some(Pushback::After(wait)) => Some(wait),
            None => self.get_details_retry_info().and_then(|info| info.retry_delay),
        };
        match (self.code(), asked) {
            (Code::Unavailable | Code::Aborted | Code::ResourceExhausted, Some(_)) => {
                Class::Throttled { retry_after: asked }
            }
            (Code::Unavailable, None) if never_connected(self) => Class::Transient,
            (
                Code::Unavailable
                | Code::Aborted
                | Code::DeadlineExceeded
                | Code::Cancelled
                | Code::Unknown
                | Code::Internal
                | Code::DataLoss,
                _,
            ) => Class::Ambiguous,
            _ => Class::Permanent,
        }
    }
}

fn never_connected(status: &Status) -> bool {
    let mut next = status.source();
    while let Some(error) = next {
        if error.is::<ConnectError>() {
            return true;
        }
        next = error.source();
    }
    false
}

enum Pushback {
    Never,
    After(Duration),
}

fn pushback(status: &Status) -> Option<Pushback> {
    let value = status.metadata().get("grpc-retry-pushback-ms")?;
    let millis = value.to_str().ok().and_then(|value| value.parse().ok());
    Some(millis.map_or(Pushback::Never, |millis| Pushback::After(Duration::from_millis(millis))))
}

/// A refusal on its way to a gRPC caller: by [`grpc_code`](crate::Error::grpc_code).
impl From<crate::Error> for Status {
    fn from(refusal: crate::Error) -> Self {
        let mut status = Status::new(Code::from(refusal.grpc_code()), refusal.to_string());
        status.set_source(std::sync::Arc::new(refusal));
        status
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn by_code() {
        for (code, class) in [
            (Code::Unavailable, Class::Ambiguous),
            (Code::Aborted, Class::Ambiguous),
            (Code::DeadlineExceeded, Class::Ambiguous),
            (Code::ResourceExhausted, Class::Permanent),
            (Code::InvalidArgument, Class::Permanent),
        ] {
            assert_eq!(Status::new(code, "").class(), class, "{code:?}");
        }
    }

    #[test]
    fn without_a_connection_nothing_happened() {
        let mut status = Status::unavailable("");
        status.set_source(std::sync::Arc::new(ConnectError("refused".into())));
        assert_eq!(status.class(), Class::Transient);
    }

    #[test]
    fn a_pushback_is_obeyed() {
        let class = |pushback: &str| {
            let mut status = Status::unavailable("");
            let value = pushback.parse().expect("an ASCII value");
            status.metadata_mut().insert("grpc-retry-pushback-ms", value);
            status.class()
        };
        let asked = Class::Throttled { retry_after: Some(Duration::from_millis(250)) };
        assert_eq!(class("250"), asked);
        assert_eq!(class("-1"), Class::Permanent);
        assert_eq!(class("soon"), Class::Permanent);
    }

    #[test]
    fn retry_info_is_read() {
        let wait = Duration::from_secs(3);
        let details = ErrorDetails::with_retry_info(Some(wait));
        let status = Status::with_error_details(Code::ResourceExhausted, "", details);
        assert_eq!(status.class(), Class::Throttled { retry_after: Some(wait) });
    }

    #[test]
    fn a_refusal_keeps_its_code_and_class() {
        let refusal = crate::Error::DeadlineExceeded {
            function: "f",
            limit: None,
            late: Duration::ZERO,
            started: true,
        };
        let status = Status::from(refusal);
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(status.class(), Class::Ambiguous);
    }
}
