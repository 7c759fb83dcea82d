use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io,
    path::{self, Path},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use redb::{Builder, Database, StorageBackend, backends::FileBackend};

use crate::{disk::Disk, durability::Durability, error::OpenError, tables};

/// Opens the file: first, and again when the disk has failed.
pub(crate) struct Opener {
    file: Box<dyn Fn() -> Result<Box<dyn StorageBackend>, OpenError> + Send>,
    /// Whether nobody waits for the disk.
    is_lax: Arc<AtomicBool>,
    durability: Durability,
    cache_bytes: usize,
}

impl Opener {
    /// For a file at a path.
    pub(crate) fn of_path(path: &Path, durability: Durability, cache_bytes: usize) -> Self {
        // The process may go elsewhere.
        let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let is_first = AtomicBool::new(true);
        let file = move || {
            let file =
                if is_first.load(Ordering::Relaxed) { open_or_make(&path) } else { open(&path) };
            // What has gone meanwhile is not to be made anew: the keys in it would run again.
            is_first.store(false, Ordering::Relaxed);
            Ok(Box::new(FileBackend::new(file?)?) as Box<dyn StorageBackend>)
        };
        Self::new(file, durability, cache_bytes)
    }

    pub(crate) fn new(
        file: impl Fn() -> Result<Box<dyn StorageBackend>, OpenError> + Send + 'static,
        durability: Durability,
        cache_bytes: usize,
    ) -> Self {
        Self { file: Box::new(file), is_lax: Arc::default(), durability, cache_bytes }
    }

    /// With the latest time that the file has seen.
    pub(crate) fn open(&self) -> Result<(Database, u64), OpenError> {
        self.be_strict();
        let disk = Disk::new((self.file)()?, Arc::clone(&self.is_lax));
        let database = Builder::new().set_cache_size(self.cache_bytes).create_with_backend(disk)?;
        let latest = tables::prepare(&database)?;
        if self.durability == Durability::Process {
            tables::distrust(&database)?;
            self.is_lax.store(true, Ordering::Relaxed);
        }
        Ok((database, latest))
    }

    /// Whether a commit says so much that opening the file after a crash need not read all of it. It
    /// may not where nothing is synced: then only reading it all shows what a power failure has left.
    pub(crate) fn is_quick(&self) -> bool {
        self.durability == Durability::Full
    }

    /// From here on each sync is one: the file is about to say that it was closed properly.
    pub(crate) fn be_strict(&self) {
        self.is_lax.store(false, Ordering::Relaxed);
    }
}

fn open(path: &Path) -> Result<File, OpenError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(OpenError::Io)
}

fn open_or_make(path: &Path) -> Result<File, OpenError> {
    match open(path) {
        Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            make(path)?;
            // Where a file cannot have two names, it is made in its place.
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.open(path).map_err(OpenError::Io)
        }
        opened => opened,
    }
}

/// Makes an empty store beside the path, and names it so when it is whole: what a power failure leaves
/// of a file that is being made is no store, and cannot be told from one that was damaged.
fn make(path: &Path) -> Result<(), OpenError> {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let mut beside = path.as_os_str().to_owned();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    beside.push(format!(".{now}-{}.new", MADE.fetch_add(1, Ordering::Relaxed)));
    let made = Database::create(&beside)
        .map_err(OpenError::from)
        .and_then(|database| tables::prepare(&database));
    // Unlike a rename, it does not replace what another process has made meanwhile.
    let _ = made.is_ok().then(|| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside).map_err(OpenError::Io);
    made.and(removed)?;
    sync_folder(path).map_err(OpenError::Io)
}

/// A file is not there after a power failure as long as its folder does not say so.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener").field("durability", &self.durability).finish_non_exhaustive()
    }
}
