//! Programs of the machine, and as whom they run.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// The program, from the last of these folders that has it.
///
/// # Panics
///
/// If there is none: what to install is said then.
pub(crate) fn find(folders: &[PathBuf], program: &str, package: &str) -> PathBuf {
    let paths = folders.iter().rev().map(|folder| folder.join(program));
    let mut paths = paths.filter(|path| path.is_file());
    paths.next().unwrap_or_else(|| {
        panic!("this test needs `{program}`: install the Debian package `{package}`")
    })
}

/// Runs to its end.
///
/// # Panics
///
/// If it fails, with what it has said.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} has failed:\n{said}{errors}");
    said.trim_end().into()
}

/// A user that the server runs as, since it refuses to run as root: as that one only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct User(Option<(u32, u32)>);

impl User {
    pub(crate) fn unless_root(name: &str) -> Self {
        let id = |arguments: &[&str]| run(Command::new("id").args(arguments)).parse::<u32>();
        if id(&["-u"]) != Ok(0) {
            return Self(None);
        }
        let (user, group) = (id(&["-u", name]), id(&["-g", name]));
        Self(Some((user.expect("a number"), group.expect("a number"))))
    }

    pub(crate) fn own(self, path: &Path) {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group)).expect("root may give it away");
        }
    }

    pub(crate) fn runs(self, command: &mut Command) -> &mut Command {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        // It may not be let into the folder that it is started from.
        command.current_dir("/")
    }
}

/// An address that nobody listens on, for now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound")
}

pub(crate) fn signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    let _ = Command::new("sh").args(["-c", &kill]).status();
}

/// Waits for half a minute at most. Whether it came true.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    let give_up = Instant::now() + Duration::from_secs(30);
    while Instant::now() < give_up {
        if is_so() {
            return true;
        }
        thread::sleep(Duration::from_millis(5));
    }
    false
}
