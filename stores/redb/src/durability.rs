use std::fmt;

/// What a claim or a result survives, once the caller has heard of it.
///
/// # Example: printed when the process begins
///
/// ```
/// use steadfast_redb::Durability;
///
/// assert_eq!(Durability::Full.to_string(), "full: survives a power failure");
/// assert_eq!(Durability::Process.to_string(), "process: survives the process, not a power failure");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// A power failure: it is synced to the disk.
    #[default]
    Full,
    /// The end of the process, however it comes: it is with the operating system. A power failure may
    /// undo it, and leave a file that [`open`](crate::RedbStore::open) calls damaged.
    Process,
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full: survives a power failure",
            Self::Process => "process: survives the process, not a power failure",
        })
    }
}
