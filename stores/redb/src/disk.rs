//! What redb writes to: the file, with our word on when it is synced.

use std::{
    io,
    ops::Bound,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::{BackendError, StorageBackend};

/// A file, opened once.
///
/// A kernel that could not write a page marks it clean all the same, and says that the next sync
/// succeeded. That does no harm here: what a commit syncs first are pages that no header names yet, and
/// what it syncs then is the header, which is written anew whenever the file is opened; and after an
/// error it is.
#[derive(Debug)]
pub(crate) struct Disk {
    file: Box<dyn StorageBackend>,
    /// Whether nobody waits for the disk: what is written survives the process, and that is all.
    is_lax: Arc<AtomicBool>,
    is_asked: AtomicBool,
}

impl Disk {
    pub(crate) fn new(file: Box<dyn StorageBackend>, is_lax: Arc<AtomicBool>) -> Self {
        Self { file, is_lax, is_asked: AtomicBool::new(false) }
    }
}

impl StorageBackend for Disk {
    /// What redb asks for first, once it has the lock. A process that was killed may have left writes to
    /// the kernel: nobody may be answered by what a power failure would undo.
    fn len(&self) -> io::Result<u64> {
        if !self.is_asked.swap(true, Ordering::Relaxed) {
            self.sync_data()?;
        }
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_lax.load(Ordering::Relaxed) { Ok(()) } else { self.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
