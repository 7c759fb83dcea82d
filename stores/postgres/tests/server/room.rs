//! A disk that is full.

use std::process::Command;

use steadfast::idempotent::{Claim, Claimed, KeyStore, StoreError, Stored, Written};
use tempfile::TempDir;

use crate::database::{Database, acquire, key};

/// A disk of a few megabytes.
struct Disk(TempDir);

impl Disk {
    /// Mounts one, and lets the server write to it.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        as_root(&["mount", "-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", path]);
        let this = Self(folder);
        let keys = this.keys();
        as_root(&["mkdir", &keys]);
        let user = if is_root() { "postgres".into() } else { said("id", &["-un"]) };
        as_root(&["chown", &user, &keys]);
        this
    }

    fn keys(&self) -> String {
        format!("{}/keys", self.0.path().display())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path = self.0.path().display().to_string();
        let _ = root_command(&["umount", "--lazy", &path]).status();
    }
}

fn as_root(words: &[&str]) {
    let done = root_command(words).status();
    assert!(
        done.is_ok_and(|status| status.success()),
        "this test mounts a small disk: run it as root, or where `sudo` asks for no password"
    );
}

fn root_command(words: &[&str]) -> Command {
    let words = if is_root() { words.to_vec() } else { [&["sudo", "-n"], words].concat() };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}

fn is_root() -> bool {
    said("id", &["-u"]) == "0"
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

#[tokio::test]
async fn a_key_that_there_is_no_room_for() {
    let disk = Disk::new();
    let database = Database::new();
    let store = database.store().await;
    database.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.keys()));
    database.sql("ALTER TABLE steadfast.keys SET TABLESPACE small");
    let early = acquire(&store, 0, 1).await.token;
    let full = loop {
        let number = u32::try_from(store.count().await.unwrap().all()).unwrap();
        let claimed = store.claim(&key(number), &Claim::new(1)).await;
        let token = match claimed {
            Ok(Claimed::Acquired(acquired)) => acquired.token,
            Ok(other) => panic!("{other:?}"),
            Err(error) => break error,
        };
        let large = Stored::Json(vec![b'1'; 200 << 10].into());
        match store.complete(&key(number), token, true, large).await {
            Ok(written) => assert_eq!(written, Written::Yes),
            Err(error) => {
                // What takes no room is still taken.
                let size = Stored::TooLarge { size: 200 << 10 };
                let written = store.complete(&key(number), token, true, size).await.unwrap();
                assert_eq!(written, Written::Yes);
                break error;
            }
        }
    };
    assert!(matches!(full, StoreError::Full), "{full:?}");
    assert_eq!(store.release(&key(0), early).await.unwrap(), Written::Yes);
    database.sql("ALTER TABLE steadfast.keys SET TABLESPACE pg_default");
    database.sql("DROP TABLESPACE small");
    acquire(&store, 1_000_000, 1).await;
}
