use std::fmt;

/// What a claim or a result survives, by what the servers said of themselves when they were connected to.
///
/// Of the nodes of a cluster, it is the worst.
///
/// # Example: printed when the process begins
///
/// ```no_run
/// use steadfast_redis::{Log, RedisStore};
///
/// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
/// let store = RedisStore::connect("redis://localhost").await?;
/// println!("{}", store.durability());
/// assert_eq!(store.durability().log, Log::EverySecond);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durability {
    /// How the server writes to its disk.
    pub log: Log,
    /// How many replicas were connected: what it loses, one of these may have, or may not.
    pub replicas: u32,
    /// Whether a server that is short of memory may forget keys that are in use.
    pub evicts: bool,
}

/// How a server writes to its disk, from the best to the worst.
///
/// # Example: they are ordered
///
/// ```
/// use steadfast_redis::Log;
///
/// assert!(Log::Always < Log::EverySecond && Log::EverySecond < Log::Off);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Log {
    /// `appendfsync always`: before it answers.
    Always,
    /// `appendfsync everysec`.
    EverySecond,
    /// `appendfsync no`: when the operating system finds it fit.
    Unsynced,
    /// To a log, and it does not say how, as `CONFIG` is not for everyone.
    Unknown,
    /// There is no log: at most snapshots, every few minutes.
    Off,
}

impl Durability {
    /// That of several servers.
    pub(crate) fn worst(self, other: Self) -> Self {
        Self {
            log: self.log.max(other.log),
            replicas: self.replicas.min(other.replicas),
            evicts: self.evicts || other.evicts,
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.log {
            Log::Always => "always: survives a crash of the server",
            Log::EverySecond => {
                "everysec: the last second before a crash of the server may be lost"
            }
            Log::Unsynced => "no: survives the server's end, not a power failure",
            Log::Unknown => "a log: a second or more before a crash of the server may be lost",
            Log::Off => "none: all may be lost when the server ends",
        })?;
        if self.replicas > 0 {
            f.write_str("; replicas are asynchronous, so a failover may lose the last writes")?;
        }
        if self.evicts {
            f.write_str("; keys may be evicted")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_may_be_lost() {
        let best = Durability { log: Log::Always, replicas: 0, evicts: false };
        assert_eq!(best.to_string(), "always: survives a crash of the server");
        let worst = best.worst(Durability { log: Log::Off, replicas: 2, evicts: true });
        assert_eq!(worst, Durability { log: Log::Off, replicas: 0, evicts: true });
        assert_eq!(
            worst.to_string(),
            "none: all may be lost when the server ends; keys may be evicted"
        );
    }
}
