//! A Postgres server.

use std::{
    fs::{self, File},
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    keeper::Keeper,
    program::{User, find, free_address, run, signal, wait_until},
};

/// A server with data of its own. It ends, and its data go, with this or with the process.
///
/// Everybody may log in as anybody, only `guarded` needs the password that it was given.
#[derive(Debug)]
pub struct Postgres {
    address: SocketAddr,
    folder: PathBuf,
    user: User,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    _keeper: Keeper,
}

impl Postgres {
    /// Starts one whose data survive it, and not a power failure.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is none to start: then what to install is said.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with settings such as `("fsync", "on")`.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::in_new_folder(settings, |data, user| {
            let mut initdb = Command::new(program("initdb"));
            initdb.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]);
            run(user.runs(initdb.args(["--locale=C", "--no-instructions", "-D"]).arg(data)));
            let rules = data.join("pg_hba.conf");
            let others = fs::read_to_string(&rules).expect("initdb has made it");
            let all = format!("host all guarded all scram-sha-256\n{others}");
            fs::write(rules, all).expect("there is room");
        })
    }

    /// Starts one that follows this one, and that nobody can write to.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn standby(&self) -> Self {
        Self::in_new_folder(&[], |data, user| {
            let mut backup = Command::new(program("pg_basebackup"));
            backup.args(["--no-sync", "--write-recovery-conf", "--checkpoint=fast", "-D"]);
            backup.arg(data).args(["-d", &self.url("postgres")]);
            run(user.runs(&mut backup));
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of a database, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// Of which process the others are children. That one is none any more after a [`crash`](Self::crash).
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.server().as_ref().expect("it runs").id()
    }

    /// Makes a new database, and says what it is called.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub fn new_database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", MADE.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Runs SQL, and gives what it selects: a row a line, a `|` between two columns.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        run(psql.arg(self.url(database)))
    }

    /// Ends it at once, and all of its processes, as a crash would.
    pub fn crash(&self) {
        self.end("QUIT");
    }

    /// Kills it; its processes notice, and end.
    pub fn kill(&self) {
        self.end("KILL");
    }

    /// Starts it with the data and at the address that it had; ends it before, should it run.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&self) {
        self.crash();
        // The processes of one that was killed may still hold its memory.
        let is_up = wait_until(|| self.try_start());
        assert!(is_up, "the server does not start again:\n{}", self.log());
    }

    /// What the server has written about itself.
    ///
    /// # Panics
    ///
    /// If it has written nothing.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).expect("it has written one")
    }

    fn in_new_folder(settings: &[(&str, &str)], fill: impl FnOnce(&Path, User)) -> Self {
        let user = User::unless_root("postgres");
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("there is room").keep();
        user.own(&folder);
        let data = folder.join("data");
        let keeper = Keeper::of(&data.join("postmaster.pid"), &folder);
        fill(&data, user);
        let settings = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (address, server) = (free_address(), Mutex::new(None));
        let mut this = Self { address, folder, user, settings, server, _keeper: keeper };
        // Somebody else may take the port in between.
        let is_up = (0..5).any(|_| {
            this.address = free_address();
            this.try_start()
        });
        assert!(is_up, "the server does not start:\n{}", this.log());
        this
    }

    fn try_start(&self) -> bool {
        let mut command = Command::new(program("postgres"));
        let log = File::create(self.folder.join("log")).expect("there is room");
        let port = self.address.port().to_string();
        command.arg("-D").arg(self.data()).args(["-p", &port]).arg("-k").arg(&self.folder);
        for setting in DEFAULTS.iter().copied().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = self.user.runs(&mut command).spawn().expect("it is a program");
        let mut has_ended = false;
        let is_up = wait_until(|| {
            has_ended = !matches!(child.try_wait(), Ok(None));
            has_ended || self.is_ready(child.id())
        });
        let is_up = is_up && !has_ended;
        if is_up {
            *self.server() = Some(child);
        } else {
            let _ = child.kill();
            let _ = child.wait();
        }
        is_up
    }

    /// The server says how far it is in the last line.
    fn is_ready(&self, pid: u32) -> bool {
        let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = status.lines();
        lines.next().and_then(|line| line.parse().ok()) == Some(pid)
            && lines.last().is_some_and(|last| matches!(last.trim(), "ready" | "standby"))
    }

    fn end(&self, with: &str) {
        if let Some(mut server) = self.server().take() {
            signal(with, server.id());
            let _ = server.wait();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn server(&self) -> MutexGuard<'_, Option<Child>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
        // So that what ends it after us ends nobody who has got its number since.
        if let Ok(mut file) = File::create(self.data().join("postmaster.pid")) {
            let _ = file.write_all(b"");
        }
    }
}

/// That of Postgres, and not one of the same name.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| {
        folder.parent().and_then(Path::file_name)?.to_str()?.parse::<u32>().ok()
    });
    if folders.is_empty() {
        folders.extend(["/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin"].map(PathBuf::from));
    }
    find(&folders, name, "postgresql")
}

const DEFAULTS: [&str; 4] =
    ["listen_addresses=127.0.0.1", "fsync=off", "max_connections=200", "shared_buffers=64MB"];
