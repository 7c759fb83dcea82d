use ::sqlx::Error;

use super::{Class, Fault};

/// By what the driver or the server says.
///
/// | error | class |
/// |---|---|
/// | pool timed out | transient |
/// | I/O | that of its `io::Error` |
/// | SQLSTATE 40001, 40P01 (rolled back), 55P03 (lock), 57014 (cancelled), 57P03 (starting up), 08001, 08004 (not connected) | transient |
/// | SQLSTATE 53xxx (out of connections, memory, disk) | throttled |
/// | SQLSTATE 08xxx (connection lost), 57P01, 57P02 (shut down), 40003; worker crashed; protocol | ambiguous |
/// | `SQLite` 5 (busy), 6 (locked) and their extended codes | transient |
/// | every other | permanent |
///
/// A transaction is dead after an error: put `#[retry]` on the function that begins it.
impl Fault for Error {
    fn class(&self) -> Class {
        match self {
            Error::PoolTimedOut => Class::Transient,
            Error::Io(error) => error.class(),
            Error::Database(error) => error.code().map_or(Class::Permanent, |code| of_code(&code)),
            Error::Protocol(_) | Error::WorkerCrashed => Class::Ambiguous,
            _ => Class::Permanent,
        }
    }
}

/// A refusal on its way through sqlx: as [`Error::Io`], of kind `TimedOut`.
impl From<crate::Error> for Error {
    fn from(refusal: crate::Error) -> Self {
        Error::Io(refusal.into())
    }
}

fn of_code(code: &str) -> Class {
    // An SQLSTATE has five characters; what else is a number is one of SQLite's result codes,
    // of which the low byte is the primary one.
    if code.len() != 5 {
        let primary = code.parse::<i32>().map(|code| code & 0xff);
        return if matches!(primary, Ok(5 | 6)) { Class::Transient } else { Class::Permanent };
    }
    match code {
        "40001" | "40P01" | "55P03" | "57014" | "57P03" | "08001" | "08004" => Class::Transient,
        "40003" | "57P01" | "57P02" => Class::Ambiguous,
        _ if code.starts_with("08") => Class::Ambiguous,
        _ if code.starts_with("53") => Class::Throttled { retry_after: None },
        _ => Class::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_code() {
        for (code, class) in [
            ("40001", Class::Transient),
            ("40P01", Class::Transient),
            ("08006", Class::Ambiguous),
            ("53300", Class::Throttled { retry_after: None }),
            ("23505", Class::Permanent),
            ("5", Class::Transient),
            ("517", Class::Transient),
            ("19", Class::Permanent),
            ("", Class::Permanent),
        ] {
            assert_eq!(of_code(code), class, "{code}");
        }
    }

    #[test]
    fn by_error() {
        assert_eq!(Error::PoolTimedOut.class(), Class::Transient);
        assert_eq!(Error::RowNotFound.class(), Class::Permanent);
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(Error::Io(reset).class(), Class::Ambiguous);
    }
}
