use std::{error, fmt};

use redis::{ErrorKind, RedisError};
use steadfast::idempotent::StoreError;

type Source = Box<dyn error::Error + Send + Sync>;

/// Why a store could not be connected to.
///
/// # Example: there is no server
///
/// ```
/// use steadfast_redis::{ConnectError, RedisStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let error = RedisStore::connect("redis://127.0.0.1:1").await.unwrap_err();
/// assert!(matches!(error, ConnectError::Unreachable(_)));
/// assert!(RedisStore::connect("localhost").await.unwrap_err().to_string().starts_with("the URL"));
/// # }
/// ```
#[non_exhaustive]
pub enum ConnectError {
    /// It is a node of a cluster, where most keys are elsewhere.
    Cluster,
    /// The user or the password is wrong, or may not run a command that is needed, or not on these keys.
    Denied(Source),
    /// Under memory pressure it would forget keys that are in use: the policy that it has.
    Evicts(String),
    /// It has an error for an answer.
    Failed(Source),
    /// It is no cluster.
    NoCluster,
    /// It is a replica, which can be read only.
    Replica,
    /// It is a sentinel, which keeps no keys.
    Sentinel,
    /// The sentinels do not know a master of this name.
    UnknownMaster(Source),
    /// It does not answer in time, or not at all: the address, the network, TLS.
    Unreachable(Source),
    /// The URL is none, or needs a cargo feature.
    Url(Source),
    /// It is older than Redis 7: the version that it says, empty if it says none.
    Version(String),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => {
                f.write_str("it is a node of a cluster: use `Options::connect_cluster`, of the cargo feature `cluster`")
            }
            Self::Denied(why) => {
                write!(f, "the server refuses the user, the password or a command: {why}")
            }
            Self::Evicts(policy) => write!(
                f,
                "its maxmemory-policy `{policy}` may forget keys that are in use: \
                 set `noeviction`, or say `allow_eviction`"
            ),
            Self::Failed(why) => write!(f, "the server fails: {why}"),
            Self::NoCluster => f.write_str("it is no cluster: use `Options::connect`"),
            Self::Replica => f.write_str("it is a replica: connect to its master"),
            Self::Sentinel => {
                f.write_str("it is a sentinel: use `Options::connect_sentinel`, of the cargo feature `sentinel`")
            }
            Self::UnknownMaster(why) => {
                write!(f, "no sentinel knows a master of this name: {why}")
            }
            Self::Unreachable(why) => write!(f, "the server cannot be reached: {why}"),
            Self::Url(why) => write!(f, "the URL cannot be used: {why}"),
            Self::Version(version) => {
                write!(f, "it is version `{version}`: Redis 7 or Valkey is needed")
            }
        }
    }
}

/// As it is displayed: a `main` that returns it shows it so.
impl fmt::Debug for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Denied(why)
            | Self::Failed(why)
            | Self::UnknownMaster(why)
            | Self::Unreachable(why)
            | Self::Url(why) => Some(&**why),
            Self::Cluster
            | Self::Evicts(_)
            | Self::NoCluster
            | Self::Replica
            | Self::Sentinel
            | Self::Version(_) => None,
        }
    }
}

/// Of a connection that was to be made.
pub(crate) fn of_connecting(error: RedisError) -> ConnectError {
    let wrapped = |error: RedisError| Source::from(error);
    match error.kind() {
        ErrorKind::AuthenticationFailed => ConnectError::Denied(wrapped(error)),
        ErrorKind::InvalidClientConfig | ErrorKind::EmptySentinelList => {
            ConnectError::Url(wrapped(error))
        }
        ErrorKind::MasterNameNotFoundBySentinel => ConnectError::UnknownMaster(wrapped(error)),
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => {
            ConnectError::Unreachable(wrapped(error))
        }
        _ if matches!(error.code(), Some("NOAUTH" | "NOPERM" | "WRONGPASS")) => {
            ConnectError::Denied(wrapped(error))
        }
        // Of a command in a script, it has no code of its own.
        _ if error.detail().is_some_and(|why| why.contains("user executing the script")) => {
            ConnectError::Denied(wrapped(error))
        }
        _ => ConnectError::Failed(wrapped(error)),
    }
}

/// Of an operation.
pub(crate) fn of_operation(error: RedisError) -> StoreError {
    if is_out_of_memory(&error) {
        return StoreError::Full;
    }
    let is_corrupt = error.kind() == ErrorKind::UnexpectedReturnType
        // The first is what the scripts say of a record.
        || matches!(error.code(), Some("CORRUPT" | "WRONGTYPE"));
    if is_corrupt { StoreError::corrupt(error) } else { StoreError::unavailable(error) }
}

pub(crate) fn is_out_of_memory(error: &RedisError) -> bool {
    error.code() == Some("OOM")
}

/// An answer that no script of ours gives, or a record that none has written.
#[derive(Debug)]
pub(crate) struct Undecodable;

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record or an answer that cannot be read")
    }
}

impl error::Error for Undecodable {}

impl From<Undecodable> for StoreError {
    fn from(why: Undecodable) -> Self {
        Self::corrupt(why)
    }
}
