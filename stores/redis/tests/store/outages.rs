//! What fails between a call and its server, and how the store comes back from it.

use std::{process::Command, time::Duration};

use steadfast::idempotent::{Claim, Claimed, KeyStore, Resolution, State, StoreError, Written};
use steadfast_redis::RedisStore;
use steadfast_test_servers::{Proxy, Redis};

use crate::common::{acquire, complete, connect, is_done, is_unavailable, key};

async fn connect_through(proxy: &Proxy) -> RedisStore {
    RedisStore::connect(&format!("redis://{}", proxy.address())).await.unwrap()
}

#[tokio::test]
async fn down_before_the_claim() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let store = connect_through(&proxy).await;
    proxy.cut_off();
    for _ in 0..3 {
        let claimed = store.claim(&key(1), &Claim::new(1)).await;
        assert!(is_unavailable(&claimed), "{claimed:?}");
    }
    proxy.restore();
    assert_eq!(acquire(&store, 1, 1).await.attempt, 1);
}

#[tokio::test]
async fn cut_off_between_claim_and_completion() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let store = connect_through(&proxy).await;
    let token = acquire(&store, 1, 1).await.token;
    proxy.cut_off();
    assert!(is_unavailable(&complete(&store, 1, token).await));
    assert!(is_unavailable(&store.renew(&key(1), token, Duration::from_secs(30)).await));
    proxy.restore();
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
    assert!(is_done(&store, 1).await);
}

#[tokio::test]
async fn a_connection_that_idles_too_long_is_replaced_unnoticed() {
    let server = Redis::start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
}

#[tokio::test]
async fn slow_beyond_the_timeout() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let options = RedisStore::options().timeout(Duration::from_millis(200));
    let store = options.connect(&format!("redis://{}", proxy.address())).await.unwrap();
    // From then on the server knows the script.
    acquire(&store, 9, 9).await;
    proxy.hold_replies();
    let Err(StoreError::Unavailable(why)) = store.claim(&key(1), &Claim::new(1)).await else {
        panic!("it has no answer");
    };
    assert_eq!(why.to_string(), "no answer within 200ms");
    // It has happened.
    let found = connect(&server).await.look(&key(1)).await.unwrap().unwrap();
    proxy.restore();
    let acquired = acquire(&store, 1, 1).await;
    assert_eq!((acquired.token, acquired.attempt), (found.record.token, 1));
}

/// A peer that has gone without a word is not waited for again.
#[tokio::test]
async fn a_connection_that_hangs_is_replaced() {
    let connections = |server: &Redis| {
        let stats = server.command(&["INFO", "stats"]);
        let count = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        count.unwrap().trim().parse::<u64>().unwrap()
    };
    let server = Redis::start();
    let options = RedisStore::options().timeout(Duration::from_millis(200));
    let store = options.connect(&server.url()).await.unwrap();
    acquire(&store, 1, 1).await;
    let before = connections(&server);
    signal(&server, "-STOP");
    assert!(is_unavailable(&store.claim(&key(2), &Claim::new(2)).await));
    signal(&server, "-CONT");
    acquire(&store, 2, 2).await;
    // One is ours, and one that of who counts.
    assert_eq!(connections(&server) - before, 2);
}

fn signal(server: &Redis, signal: &str) {
    let status = Command::new("kill").arg(signal).arg(server.pid().to_string()).status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn a_reply_that_is_eaten() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let store = connect_through(&proxy).await;
    let known = acquire(&store, 9, 9).await.token;
    assert_eq!(complete(&store, 9, known).await.unwrap(), Written::Yes);
    // The store asks once more by itself, over another connection.
    proxy.eat_replies(1);
    let first = acquire(&store, 1, 1).await;
    assert_eq!(first.attempt, 1);
    proxy.eat_replies(1);
    assert_eq!(complete(&store, 1, first.token).await.unwrap(), Written::Yes);
    // And its caller may do so.
    for _ in 0..2 {
        proxy.eat_replies(2);
        assert!(is_unavailable(&store.claim(&key(2), &Claim::new(2)).await));
        proxy.restore();
    }
    let found = connect(&server).await.look(&key(2)).await.unwrap().unwrap();
    let second = acquire(&store, 2, 2).await;
    assert_eq!(second.token, found.record.token, "it had been acquired");
    assert_eq!((second.attempt, second.interruptions), (1, 0));
    proxy.eat_replies(2);
    assert!(is_unavailable(&complete(&store, 2, second.token).await));
    proxy.restore();
    assert_eq!(complete(&store, 2, second.token).await.unwrap(), Written::Yes);
}

#[tokio::test]
async fn a_reply_to_an_operator_that_is_eaten() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let store = connect_through(&proxy).await;
    let token = acquire(&store, 1, 1).await.token;
    assert_eq!(store.interrupt(&key(1), token, true).await.unwrap(), Written::Yes);
    assert!(!store.resolve(&key(9), &Resolution::DidNotHappen).await.unwrap());
    proxy.eat_replies(1);
    // Asked again it would be told that there was nothing to resolve.
    assert!(is_unavailable(&store.resolve(&key(1), &Resolution::DidNotHappen).await));
    let found = store.look(&key(1)).await.unwrap().unwrap();
    assert_eq!(found.record.state, State::Released);
}

#[tokio::test]
async fn killed_with_a_log() {
    let mut server = Redis::options().durable().start();
    let store = connect(&server).await;
    let done = acquire(&store, 1, 1).await.token;
    assert_eq!(complete(&store, 1, done).await.unwrap(), Written::Yes);
    let claimed = acquire(&store, 2, 2).await;
    server.kill();
    assert!(is_unavailable(&store.claim(&key(3), &Claim::new(3)).await));
    server.restart();
    assert!(is_done(&store, 1).await);
    let other = store.claim(&key(2), &Claim::new(3)).await.unwrap();
    assert!(matches!(other, Claimed::InProgress { .. }), "{other:?}");
    assert_eq!(acquire(&store, 2, 2).await, claimed);
    assert_eq!(complete(&store, 2, claimed.token).await.unwrap(), Written::Yes);
}

#[tokio::test]
async fn is_loading_its_log() {
    // Slowly, and so that it answers meanwhile.
    let options = Redis::options().set("appendonly", "yes").set("key-load-delay", "300");
    let mut server = options.start();
    let store = connect(&server).await;
    for number in 0..6_000 {
        acquire(&store, number, 1).await;
    }
    let token = acquire(&store, 6_000, 1).await.token;
    server.kill();
    let restarted = std::thread::spawn(move || {
        server.restart();
        server
    });
    let mut told = false;
    let written = loop {
        match complete(&store, 6_000, token).await {
            Ok(written) => break written,
            Err(StoreError::Unavailable(why)) => told |= why.to_string().contains("BusyLoading"),
            Err(other) => panic!("{other}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(written, Written::Yes);
    assert!(told, "it was never asked while it was loading");
    drop(restarted.join());
}

#[tokio::test]
async fn restarted_without_persistence() {
    let mut server = Redis::start();
    let store = connect(&server).await;
    let lost = acquire(&store, 1, 1).await.token;
    server.restart();
    // Nothing is known of it, and nothing of it is taken for anything else.
    assert_eq!(complete(&store, 1, lost).await.unwrap(), Written::LeaseLost);
    let again = acquire(&store, 1, 2).await;
    assert_eq!(again.attempt, 1);
    assert!(again.token > lost, "{} after {lost}", again.token);
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten() {
    let server = Redis::start();
    let store = connect(&server).await;
    let flush = || server.command(&["SCRIPT", "FLUSH"]);
    let token = acquire(&store, 1, 1).await.token;
    flush();
    assert_eq!(acquire(&store, 1, 1).await.token, token);
    flush();
    let lease = Duration::from_secs(30);
    assert_eq!(store.renew(&key(1), token, lease).await.unwrap(), Written::Yes);
    flush();
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
    flush();
    assert!(store.look(&key(1)).await.unwrap().is_some());
    assert!(is_done(&store, 1).await);
}

#[tokio::test]
async fn its_password_is_changed_and_changed_back() {
    let server = Redis::options().password("right").start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    server.command(&["ACL", "SETUSER", "default", "resetpass", ">other"]);
    let cli = |password: &str, command: &[&str]| {
        let port = server.address().port().to_string();
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &port, "--no-auth-warning", "-a", password]).args(command);
        assert!(cli.output().unwrap().status.success());
    };
    cli("other", &["CLIENT", "KILL", "TYPE", "normal"]);
    for _ in 0..3 {
        assert!(is_unavailable(&complete(&store, 1, token).await));
    }
    cli("other", &["ACL", "SETUSER", "default", "resetpass", ">right"]);
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
}

#[tokio::test]
async fn becomes_read_only_and_back() {
    let (server, master) = (Redis::start(), Redis::start());
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    let port = master.address().port().to_string();
    // The master has the same keys, as one that was elected has.
    master.command(&["REPLICAOF", "127.0.0.1", &server.address().port().to_string()]);
    master.wait_for(&["INFO", "replication"], "master_link_status:up");
    master.command(&["REPLICAOF", "NO", "ONE"]);
    server.command(&["REPLICAOF", "127.0.0.1", &port]);
    for _ in 0..2 {
        assert!(is_unavailable(&complete(&store, 1, token).await));
        assert!(is_unavailable(&store.claim(&key(2), &Claim::new(2)).await));
    }
    server.command(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
    acquire(&store, 2, 2).await;
}

#[tokio::test]
async fn is_busy_with_a_script() {
    let server = Redis::options().set("busy-reply-threshold", "20").start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    let port = server.address().port().to_string();
    let mut endless = Command::new("redis-cli");
    endless.args(["-p", &port, "EVAL", "while true do end", "0"]);
    let mut endless = endless.stdout(std::process::Stdio::null()).spawn().unwrap();
    server.wait_for(&["PING"], "BUSY");
    let Err(StoreError::Unavailable(why)) = complete(&store, 1, token).await else {
        panic!("the server has no time");
    };
    assert!(why.to_string().contains("BUSY"), "{why}");
    server.command(&["SCRIPT", "KILL"]);
    endless.wait().unwrap();
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
}

/// It refuses all writes then, lest more than the last snapshot is lost.
#[tokio::test]
async fn its_disk_takes_no_snapshot() {
    let server = Redis::options().set("enable-protected-configs", "yes").start();
    let store = connect(&server).await;
    let token = acquire(&store, 1, 1).await.token;
    let folder = server.command(&["CONFIG", "GET", "dir"]);
    let folder = folder.lines().last().unwrap();
    server.command(&["CONFIG", "SET", "save", "3600 1"]);
    server.command(&["CONFIG", "SET", "dir", "/proc"]);
    server.command(&["BGSAVE"]);
    server.wait_for(&["INFO", "persistence"], "rdb_last_bgsave_status:err");
    assert!(is_unavailable(&store.claim(&key(2), &Claim::new(1)).await));
    assert!(is_unavailable(&complete(&store, 1, token).await));
    server.command(&["CONFIG", "SET", "dir", folder]);
    server.command(&["BGSAVE"]);
    server.wait_for(&["INFO", "persistence"], "rdb_last_bgsave_status:ok");
    assert_eq!(complete(&store, 1, token).await.unwrap(), Written::Yes);
    assert_eq!(acquire(&store, 2, 1).await.attempt, 1);
}
