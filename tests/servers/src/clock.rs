//! A server's clock, which a test moves.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;

/// The wall clock of a server that is started with it. Its monotonic clock stays as it is.
///
/// It is that of Debian's `libfaketime`, which reads a file at each look at the time: what a test sets is
/// so at once. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct FakeClock(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: TempDir,
    library: PathBuf,
    time: Mutex<Time>,
}

#[derive(Clone, Copy, Debug)]
enum Time {
    /// Microseconds since 1970, and stays so.
    Frozen(i64),
    /// So many microseconds more than the machine's.
    Ahead(i64),
}

impl FakeClock {
    /// Goes as fast as the machine's, from now on.
    ///
    /// # Panics
    ///
    /// If `libfaketime` is not installed, as of all that begins one.
    pub fn running() -> Self {
        Self::new(Time::Ahead(0))
    }

    /// Stands still, from now on.
    ///
    /// # Panics
    ///
    /// As [`running`](Self::running).
    pub fn frozen() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("later than 1970");
        Self::new(Time::Frozen(micros(now)))
    }

    fn new(time: Time) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the clock");
        let clock = Self(Arc::new(Shared { folder, library: library(), time: Mutex::new(time) }));
        clock.change(|_| {});
        clock
    }

    /// Lets so much time pass at once.
    pub fn pass(&self, time: Duration) {
        self.change(|now| *now += micros(time));
    }

    /// Sets it back.
    pub fn set_back(&self, time: Duration) {
        self.change(|now| *now -= micros(time));
    }

    /// The time of a clock that stands still, in microseconds since 1970.
    ///
    /// # Panics
    ///
    /// If it runs.
    pub fn micros(&self) -> u64 {
        match *self.0.time.lock().unwrap_or_else(PoisonError::into_inner) {
            Time::Frozen(now) => u64::try_from(now).expect("later than 1970"),
            Time::Ahead(_) => panic!("this clock runs"),
        }
    }

    fn change(&self, change: impl FnOnce(&mut i64)) {
        let mut time = self.0.time.lock().unwrap_or_else(PoisonError::into_inner);
        let text = match &mut *time {
            Time::Frozen(now) => {
                change(now);
                // Half a microsecond more, as it is read as a fraction, which may be a little less.
                format!("{}.{:06}500", now.div_euclid(MILLION), now.rem_euclid(MILLION))
            }
            Time::Ahead(ahead) => {
                change(ahead);
                let sign = if *ahead < 0 { '-' } else { '+' };
                let size = ahead.unsigned_abs();
                format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
            }
        };
        // In one step, as it is read at any time.
        let new = self.0.folder.path().join("new");
        fs::write(&new, text).expect("room for a clock");
        fs::rename(new, self.file()).expect("a clock");
    }

    fn file(&self) -> PathBuf {
        self.0.folder.path().join("time")
    }

    /// What a server has to be started with. `libc` stands before an allocator of the server's own, which
    /// would look at the clock before there is one.
    pub(crate) fn environment(&self) -> [(&'static str, String); 6] {
        [
            ("LD_PRELOAD", format!("{} libc.so.6", self.0.library.display())),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_FMT", "%s".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// Has a program see another time of day, such as `"+1h"`; that of its timers stays right.
///
/// # Panics
///
/// If `libfaketime` is not installed.
pub fn shift_clock(program: &mut Command, off: &str) {
    program.env("LD_PRELOAD", library()).env("FAKETIME", off);
    program.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
}

fn library() -> PathBuf {
    let folders =
        fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    folders
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is missing: install Debian's package `libfaketime`")
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).expect("a time of this age")
}

const MILLION: i64 = 1_000_000;
