//! A pooler that stands before a Postgres server.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::{
    keeper::Keeper,
    postgres::Postgres,
    program::{User, find, free_address, wait_until},
};

/// One that lends a server connection for a transaction, and has two of them for each database. It ends
/// with this or with the process.
#[derive(Debug)]
pub struct PgBouncer {
    address: SocketAddr,
    folder: PathBuf,
    child: Child,
    _keeper: Keeper,
}

impl PgBouncer {
    /// Stands before this server.
    ///
    /// # Panics
    ///
    /// If it does not start, or there is none to start: then what to install is said.
    pub fn before(server: &Postgres) -> Self {
        let folders = ["/usr/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from);
        let program = find(&folders, "pgbouncer", "pgbouncer");
        let user = User::unless_root("postgres");
        let folder = tempfile::Builder::new().prefix("pb").tempdir().expect("there is room").keep();
        user.own(&folder);
        let keeper = Keeper::of(&folder.join("pid"), &folder);
        let address = free_address();
        let settings = folder.join("pgbouncer.ini");
        let (port, to) = (address.port(), server.address());
        let (host, to) = (to.ip(), to.port());
        let lines = format!(
            "[databases]\n* = host={host} port={to} user=postgres\n[pgbouncer]\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 2\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\npidfile = {folder}/pid\n",
            folder = folder.display(),
        );
        fs::write(&settings, lines).expect("there is room");
        let log = File::create(folder.join("log")).expect("there is room");
        let mut command = Command::new(program);
        command.arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = user.runs(&mut command).spawn().expect("it is a program");
        let mut this = Self { address, folder, child, _keeper: keeper };
        let is_up = wait_until(|| {
            TcpStream::connect(address).is_ok() || !matches!(this.child.try_wait(), Ok(None))
        });
        let is_up = is_up && matches!(this.child.try_wait(), Ok(None));
        let log = || fs::read_to_string(this.folder.join("log")).unwrap_or_default();
        assert!(is_up, "the pooler does not start:\n{}", log());
        this
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of a database, for its superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(self.folder.join("pid"));
    }
}
