//! What ends a server when the process that has started it is gone, however it went: a static is never
//! dropped, and a process that is killed drops nothing.

use std::{
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// A process that waits until this one is gone, or drops it.
#[derive(Debug)]
pub(crate) struct Keeper(Child);

impl Keeper {
    /// Ends the process whose number is in the first line of the file, and removes the folder.
    pub(crate) fn of(pid_file: &Path, folder: &Path) -> Self {
        let child = Command::new("sh")
            .args(["-c", SCRIPT, "keeper"])
            .args([pid_file, folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Who stops the tests from a terminal does not stop it.
            .process_group(0)
            .spawn();
        Self(child.expect("there is a shell"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Its input ends with whoever holds the other end.
const SCRIPT: &str = r#"
cat > /dev/null
pid=$(head -n 1 "$1")
if [ -n "$pid" ] && kill -QUIT "$pid"; then
    tries=0
    while kill -0 "$pid" && [ $tries -lt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
fi
rm -rf "$2"
"#;
