//! A process that is killed while many call: what a caller has heard of is there.

use std::{
    env,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, State, Stored, Written};
use steadfast_redb::{Durability, Options, RedbStore};

fn key(number: u64) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

fn durability() -> Durability {
    if env::var_os(LAX).is_some() { Durability::Process } else { Durability::Full }
}

/// What the child does: it says each key that is completed, until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is what the others kill"]
async fn child() {
    let Some(path) = env::var_os(PATH) else { return };
    let store = Options::new().durability(durability()).open(path).unwrap();
    let keys = env::var(KEYS).unwrap().parse::<u64>().unwrap();
    let callers = (0..CALLERS).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in (0..).map(|call| call * CALLERS + caller) {
                let claimed = store.claim(&key(number), &Claim::new(1)).await.unwrap();
                let Claimed::Acquired(acquired) = claimed else { panic!("{claimed:?}") };
                let token = acquired.token;
                let result = Stored::of(&format!("{number:0200}"));
                let written = store.complete(&key(number), token, true, result).await.unwrap();
                assert_eq!(written, Written::Yes);
                // With a line end before it, since the harness prints too.
                println!("\n{ACKNOWLEDGED}{number} {token}");
                if number >= keys {
                    println!("\n{ENOUGH}");
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
}

fn spawn(path: &Path, durability: Durability, keys: u64) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--ignored", "--nocapture"]);
    command.env(PATH, path).env(KEYS, keys.to_string());
    if durability == Durability::Process {
        command.env(LAX, "");
    }
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Kills a child that has completed so many keys, and says which with their tokens.
fn kill(path: &Path, durability: Durability, keys: u64) -> Vec<(u64, u64)> {
    let mut child = spawn(path, durability, keys);
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line == ENOUGH {
            child.kill().unwrap();
        } else if let Some(line) = line.strip_prefix(ACKNOWLEDGED)
            && let Some((number, token)) = line.split_once(' ')
        {
            acknowledged.push((number.parse().unwrap(), token.parse().unwrap()));
        }
    }
    assert!(!child.wait().unwrap().success());
    assert!(acknowledged.len() as u64 > keys / 2);
    acknowledged
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    (folder, path)
}

async fn all_are_there(durability: Durability) {
    let (_folder, path) = folder();
    let acknowledged = kill(&path, durability, 3_000);
    let store = Options::new().durability(durability).open(&path).unwrap();
    let mut latest = 0;
    for (number, token) in acknowledged {
        let found = store.look(&key(number)).await.unwrap().unwrap();
        assert!(matches!(found.record.state, State::Done(_)), "{number}");
        assert_eq!(found.record.token, token);
        latest = latest.max(token);
    }
    let claimed = store.claim(&key(u64::MAX), &Claim::new(1)).await.unwrap();
    assert!(matches!(claimed, Claimed::Acquired(acquired) if acquired.token > latest));
}

#[tokio::test]
async fn what_was_acknowledged_is_there() {
    all_are_there(Durability::Full).await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_without_syncs() {
    all_are_there(Durability::Process).await;
}

/// `cargo test --release -p steadfast-redb --test kill -- --ignored --nocapture opens`.
#[tokio::test]
#[ignore = "takes minutes"]
async fn opens_at_once_after_a_kill() {
    for durability in [Durability::Full, Durability::Process] {
        let (_folder, path) = folder();
        kill(&path, durability, 1_000_000);
        let begun = Instant::now();
        let store = RedbStore::open(&path).unwrap();
        let opened = begun.elapsed();
        let begun = Instant::now();
        let count = store.count().await.unwrap();
        let bytes = std::fs::metadata(&path).unwrap().len();
        println!("{durability}: {} keys, {} MiB, open in {opened:?}", count.all(), bytes >> 20);
        println!("counted in {:?}", begun.elapsed());
        assert!(durability != Durability::Full || opened < Duration::from_millis(100));
    }
}

const CALLERS: u64 = 64;
const PATH: &str = "STEADFAST_REDB_TEST_PATH";
const KEYS: &str = "STEADFAST_REDB_TEST_KEYS";
const LAX: &str = "STEADFAST_REDB_TEST_LAX";
const ACKNOWLEDGED: &str = "acknowledged ";
const ENOUGH: &str = "enough";
