use std::fmt;

/// What a claim or a result survives, once the caller has heard of it: what the server says of itself.
///
/// # Example: printed when the process begins
///
/// ```no_run
/// use steadfast_postgres::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::connect("postgres://localhost/shop").await?;
/// println!("keys are {}", store.durability());
/// // keys are on the disk of the server (synchronous_commit on, fsync on): a crash loses none
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durability {
    synchronous_commit: String,
    fsync: bool,
    standbys: bool,
}

impl Durability {
    pub(crate) fn new(synchronous_commit: String, fsync: bool, standbys: bool) -> Self {
        Self { synchronous_commit, fsync, standbys }
    }

    /// Whether it survives a crash of the server's machine.
    ///
    /// # Example: a process that would rather not run
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = steadfast_postgres::PostgresStore::connect("postgres://localhost").await?;
    /// assert!(store.durability().survives_a_crash());
    /// # Ok(())
    /// # }
    /// ```
    pub fn survives_a_crash(&self) -> bool {
        self.fsync && self.synchronous_commit != "off"
    }

    /// Whether it survives that a standby takes over from a server that is gone: each commit waits for
    /// one of those in `synchronous_standby_names`.
    ///
    /// # Example: a process that would rather not run
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = steadfast_postgres::PostgresStore::connect("postgres://localhost").await?;
    /// assert!(store.durability().survives_a_failover());
    /// # Ok(())
    /// # }
    /// ```
    pub fn survives_a_failover(&self) -> bool {
        self.standbys && !matches!(&*self.synchronous_commit, "off" | "local")
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fsync = if self.fsync { "on" } else { "off" };
        let (place, survives) = match (self.survives_a_crash(), self.survives_a_failover()) {
            (true, true) => ("on the disk of the server and with a standby", "a crash loses none"),
            (true, false) => ("on the disk of the server", "a crash loses none"),
            (false, true) => ("with a standby", "a crash of both loses the latest"),
            (false, false) => ("in the memory of the server", "a crash loses the latest"),
        };
        let commit = &self.synchronous_commit;
        write!(f, "{place} (synchronous_commit {commit}, fsync {fsync}): {survives}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_lost() {
        let says = |commit: &str, fsync, standbys| {
            Durability::new(commit.into(), fsync, standbys).to_string()
        };
        let on = "on the disk of the server (synchronous_commit on, fsync on): a crash loses none";
        assert_eq!(says("on", true, false), on);
        assert!(says("off", true, true).ends_with("a crash loses the latest"));
        assert!(says("on", false, false).ends_with("a crash loses the latest"));
        assert!(says("remote_apply", true, true).contains("with a standby"));
        assert!(!says("local", true, true).contains("with a standby"));
    }
}
