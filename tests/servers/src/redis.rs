//! Redis: one server, a cluster, a sentinel.

mod cluster;
mod sentinel;

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

pub use self::{cluster::RedisCluster, sentinel::RedisSentinel};
use crate::{FakeClock, keeper::Keeper};

/// A `redis-server`, without persistence unless its options say otherwise. It ends, and its
/// data go, with this or with the process.
#[derive(Debug)]
pub struct Redis {
    options: RedisOptions,
    port: u16,
    folder: TempDir,
    child: Child,
    _keeper: Keeper,
}

/// What a server is started with.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    password: Option<String>,
    clock: Option<FakeClock>,
    is_in_cluster: bool,
    speaks_tls: bool,
    /// A sentinel's, without its port.
    sentinel: Option<String>,
}

impl RedisOptions {
    /// Adds a setting, as on the command line without its dashes: `("maxmemory", "10mb")`.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([format!("--{name}").into(), value.into()]);
        self
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Writes each change to the log on the disk before it is answered.
    #[must_use]
    pub fn durable(self) -> Self {
        self.set("appendonly", "yes").set("appendfsync", "always")
    }

    /// Wants this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.set("requirepass", password).set("masterauth", password)
    }

    /// Goes by this clock.
    #[must_use]
    pub fn clock(mut self, clock: &FakeClock) -> Self {
        self.clock = Some(clock.clone());
        self
    }

    /// Speaks TLS only, with this certificate and key.
    #[must_use]
    pub fn tls(mut self, certificate: &Path, key: &Path) -> Self {
        self.speaks_tls = true;
        self.arguments.extend(["--tls-cert-file".into(), certificate.into()]);
        self.arguments.extend(["--tls-key-file".into(), key.into()]);
        self.set("tls-auth-clients", "no")
    }

    /// Starts it on a free port.
    ///
    /// # Panics
    ///
    /// If `redis-server` is not installed, or is not ready in 10 s.
    pub fn start(self) -> Redis {
        for _ in 0..PORTS {
            let (port, folder) = (free_port(), tempfile::tempdir().expect("a folder for its data"));
            let mut child = self.spawn(port, folder.path());
            match self.wait(&mut child, folder.path()) {
                Ok(()) => {
                    let keeper = Keeper::of(&pid_in(folder.path()), folder.path());
                    return Redis { options: self, port, folder, child, _keeper: keeper };
                }
                // Somebody was faster to take it.
                Err(log) if log.contains("already in use") => {}
                Err(log) => panic!("redis-server does not start: {log}"),
            }
        }
        panic!("redis-server has found no free port in {PORTS} tries");
    }

    fn spawn(&self, port: u16, folder: &Path) -> Child {
        let mut command = Command::new("redis-server");
        if let Some(sentinel) = &self.sentinel {
            // It writes there what it finds out.
            let file = folder.join("sentinel.conf");
            fs::write(&file, format!("port {port}\n{sentinel}")).expect("room for its settings");
            command.arg(file).arg("--sentinel");
        } else {
            let (plain, tls) = if self.speaks_tls { (0, port) } else { (port, 0) };
            command.arg("--port").arg(plain.to_string()).arg("--tls-port").arg(tls.to_string());
            // A replica that comes does not wait for others.
            command.args(["--save", "", "--repl-diskless-sync-delay", "0"]);
            if self.is_in_cluster {
                command.args(["--cluster-enabled", "yes", "--cluster-port"]);
                command.arg(free_port().to_string());
            }
        }
        command.args(["--bind", "127.0.0.1", "--daemonize", "no"]).arg("--dir").arg(folder);
        command.arg("--pidfile").arg(pid_in(folder));
        command.args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(clock) = &self.clock {
            command.envs(clock.environment());
        }
        let log = File::create(log_in(folder)).expect("room for a log");
        command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null());
        command.spawn().unwrap_or_else(|error| missing("redis-server", "redis-server", &error))
    }

    /// What it has said instead of being ready is an error.
    fn wait(&self, child: &mut Child, folder: &Path) -> Result<(), String> {
        let ready = if self.sentinel.is_some() { "Sentinel ID is" } else { "Ready to accept" };
        let begun = Instant::now();
        loop {
            let log = fs::read_to_string(log_in(folder)).unwrap_or_default();
            if log.contains(ready) {
                return Ok(());
            }
            let has_ended = child.try_wait().is_ok_and(|status| status.is_some());
            if has_ended || begun.elapsed() > PATIENCE {
                let _ = (child.kill(), child.wait());
                return Err(fs::read_to_string(log_in(folder)).unwrap_or_default());
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Redis {
    /// Starts one with the defaults.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    pub fn start() -> Self {
        Self::options().start()
    }

    /// Sets options before starting.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// Where it is, with its password, if it has one.
    pub fn url(&self) -> String {
        let scheme = if self.options.speaks_tls { "rediss" } else { "redis" };
        match &self.options.password {
            Some(password) => format!("{scheme}://:{password}@{}", self.address()),
            None => format!("{scheme}://{}", self.address()),
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it, as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
        let _ = fs::remove_file(pid_in(self.folder.path()));
    }

    /// Starts it again on the same port, with what is left of its data; kills it before, if it runs.
    ///
    /// # Panics
    ///
    /// If it is not ready in 10 s.
    pub fn restart(&mut self) {
        self.kill();
        self.child = self.options.spawn(self.port, self.folder.path());
        if let Err(log) = self.options.wait(&mut self.child, self.folder.path()) {
            panic!("redis-server does not start again: {log}");
        }
    }

    /// Runs a command, such as `["CONFIG", "SET", "maxmemory", "10mb"]`, and gives what it answers as text.
    ///
    /// # Panics
    ///
    /// If `redis-cli` is not installed, or the server does not answer, or with an error.
    pub fn command(&self, command: &[&str]) -> String {
        self.ask(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Waits until a command answers with something that holds this text.
    ///
    /// # Panics
    ///
    /// If it does not in 10 s.
    pub fn wait_for(&self, command: &[&str], text: &str) {
        let begun = Instant::now();
        loop {
            // A server that changes its role throws its clients out.
            let answer = self.ask(command);
            if answer.as_ref().map_or_else(|error| error.contains(text), |it| it.contains(text)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{command:?} has no {text} after 10 s: {answer:?}");
            thread::sleep(PAUSE);
        }
    }

    fn ask(&self, command: &[&str]) -> Result<String, String> {
        let mut cli = Command::new("redis-cli");
        // With `-e`, what the server refuses is an error.
        cli.args(["-e", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        if let Some(password) = &self.options.password {
            cli.args(["--no-auth-warning", "-a", password]);
        }
        if self.options.speaks_tls {
            cli.args(["--tls", "--insecure"]);
        }
        let output = cli.args(command).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| missing("redis-cli", "redis-tools", &error));
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            return Ok(text);
        }
        Err(format!("{text} {}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}

fn pid_in(folder: &Path) -> PathBuf {
    folder.join("pid")
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn missing(program: &str, package: &str, error: &io::Error) -> ! {
    panic!("{program} cannot be run: {error}; install Debian's package `{package}`")
}

const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);
const PORTS: u32 = 5;
