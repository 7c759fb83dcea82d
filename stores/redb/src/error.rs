use std::{error, fmt, io};

use redb::DatabaseError;
use steadfast::idempotent::StoreError;

use crate::codec::Undecodable;

/// Why a file could not be opened.
///
/// # Example: the store is open already
///
/// ```
/// use steadfast_redb::{OpenError, RedbStore};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("keys.redb");
/// let store = RedbStore::open(&path).unwrap();
/// assert!(matches!(RedbStore::open(&path), Err(OpenError::Locked)));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// What is in it is damaged, or was never such a store.
    Corrupt(Box<dyn error::Error + Send + Sync>),
    /// The operating system refuses: there is no such folder, no right, no room.
    Io(io::Error),
    /// This or another process has it open.
    Locked,
    /// A later release has written it.
    Version(u64),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(why) => write!(f, "it is damaged, or no store of keys: {why}"),
            Self::Io(why) => write!(f, "it cannot be opened: {why}"),
            Self::Locked => f.write_str("it is open already, here or in another process"),
            Self::Version(version) => write!(f, "it has the unknown format {version}"),
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Corrupt(why) => Some(&**why),
            Self::Io(why) => Some(why),
            Self::Locked | Self::Version(_) => None,
        }
    }
}

impl From<redb::Error> for OpenError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::Locked,
            redb::Error::UpgradeRequired(version) => Self::Version(version.into()),
            redb::Error::Io(error) if is_of_what_is_in_it(&error) => Self::Corrupt(error.into()),
            redb::Error::Io(error) => Self::Io(error),
            other => Self::Corrupt(other.into()),
        }
    }
}

impl From<DatabaseError> for OpenError {
    fn from(error: DatabaseError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => Self::unavailable(error),
            OpenError::Locked => Self::unavailable(error),
            OpenError::Corrupt(_) | OpenError::Version(_) => Self::corrupt(error),
        }
    }
}

fn is_of_what_is_in_it(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Why an operation has failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// This one alone; the others of its transaction go on.
    Own(StoreError),
    /// The transaction with all that is in it.
    Storage(redb::Error),
}

impl From<Undecodable> for Fault {
    fn from(why: Undecodable) -> Self {
        Self::Own(StoreError::corrupt(why))
    }
}

/// Whatever redb has to say.
macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Storage(error.into())
            }
        }
    )*};
}

from_redb!(
    redb::CommitError,
    redb::SetDurabilityError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Own(error) => error,
            Fault::Storage(redb::Error::Io(error)) => Self::unavailable(error),
            Fault::Storage(error @ redb::Error::Corrupted(_)) => Self::corrupt(error),
            Fault::Storage(error) => Self::unavailable(error),
        }
    }
}
