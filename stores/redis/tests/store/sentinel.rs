//! A failover that a sentinel decides on.

use std::time::{Duration, Instant};

use steadfast::idempotent::{Claim, Claimed, KeyStore, StoreError, Written};
use steadfast_redis::{ConnectError, RedisStore};
use steadfast_test_servers::{Redis, RedisSentinel};

use crate::common::{acquire, complete, is_unavailable, key, stored};

struct Servers {
    master: Redis,
    replica: Redis,
    sentinel: RedisSentinel,
}

impl Servers {
    fn start() -> Self {
        let options = Redis::options().password("right");
        let (master, replica) = (options.clone().start(), options.start());
        replica.command(&["REPLICAOF", "127.0.0.1", &master.address().port().to_string()]);
        replica.wait_for(&["INFO", "replication"], "master_link_status:up");
        let sentinel = RedisSentinel::start(&master, "mymaster");
        let port = replica.address().port().to_string();
        sentinel.server().wait_for(&["SENTINEL", "REPLICAS", "mymaster"], &port);
        Self { master, replica, sentinel }
    }

    /// Through a sentinel that is there, and one that is not.
    async fn connect(&self, master: &str) -> Result<RedisStore, ConnectError> {
        let urls = ["redis://127.0.0.1:1", &self.sentinel.url()];
        RedisStore::options().connect_sentinel(&urls, master).await
    }
}

/// Asks again and again, as a call does.
async fn complete_at_last(store: &RedisStore, number: u64, token: u64) -> Written {
    let begun = Instant::now();
    loop {
        match store.complete(&key(number), token, true, stored("1")).await {
            Ok(written) => return written,
            Err(StoreError::Unavailable(_)) if begun.elapsed() < Duration::from_secs(30) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(other) => panic!("after {:?}: {other}", begun.elapsed()),
        }
    }
}

#[tokio::test]
async fn the_master_is_killed() {
    let mut servers = Servers::start();
    let store = servers.connect("redis://:right@mymaster").await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    servers.replica.wait_for(&["DBSIZE"], "1");
    servers.master.kill();
    assert!(is_unavailable(&store.claim(&key(2), &Claim::new(2)).await));
    assert_eq!(complete_at_last(&store, 1, token).await, Written::Yes);
    let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(_)), "{claimed:?}");
    servers.replica.wait_for(&["INFO", "replication"], "role:master");
}

#[tokio::test]
async fn the_master_is_changed() {
    let servers = Servers::start();
    let port = servers.replica.address().port().to_string();
    let store = servers.connect("redis://:right@mymaster").await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    servers.replica.wait_for(&["DBSIZE"], "1");
    // It has to have heard of the replica lately.
    servers.sentinel.server().wait_for(&["SENTINEL", "FAILOVER", "mymaster"], "OK");
    servers.replica.wait_for(&["INFO", "replication"], "role:master");
    servers.sentinel.server().wait_for(&["SENTINEL", "MASTER", "mymaster"], &port);
    // The old one goes on as a replica, and refuses. The sentinel sees to it too, some ten seconds later.
    servers.master.command(&["REPLICAOF", "127.0.0.1", &port]);
    assert_eq!(complete_at_last(&store, 1, token).await, Written::Yes);
    let replica = RedisStore::connect(&servers.replica.url()).await.unwrap();
    let claimed = replica.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(_)), "{claimed:?}");
}

/// As the README advises: a master that was replaced and does not know it yet is not written to.
#[tokio::test]
async fn the_old_master_is_left_before_it_knows() {
    let servers = Servers::start();
    let port = servers.replica.address().port().to_string();
    let store = servers.connect("redis://:right@mymaster").await.unwrap();
    let token = acquire(&store, 1, 1).await.token;
    servers.replica.wait_for(&["DBSIZE"], "1");
    servers.master.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    servers.sentinel.server().wait_for(&["SENTINEL", "FAILOVER", "mymaster"], "OK");
    servers.sentinel.server().wait_for(&["SENTINEL", "MASTER", "mymaster"], &port);
    servers.master.wait_for(&["INFO", "replication"], "connected_slaves:0");
    // It refuses, and would go on for ten seconds.
    let mut written = Err(StoreError::Full);
    for _ in 0..3 {
        written = complete(&store, 1, token).await;
        if written.is_ok() {
            break;
        }
    }
    assert_eq!(written.unwrap(), Written::Yes);
}

#[tokio::test]
async fn says_why_it_cannot_be_connected() {
    let servers = Servers::start();
    let error = servers.connect("redis://:right@another").await.unwrap_err();
    assert!(matches!(error, ConnectError::UnknownMaster(_)), "{error:?}");
    let error = servers.connect("redis://:wrong@mymaster").await.unwrap_err();
    assert!(matches!(error, ConnectError::Denied(_)), "{error:?}");
    let error = RedisStore::connect(&servers.sentinel.url()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Sentinel), "{error:?}");
    let nobody = ["redis://127.0.0.1:1"];
    let error = RedisStore::options().connect_sentinel(&nobody, "mymaster").await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
    let error = RedisStore::options().connect_sentinel(&[], "mymaster").await.unwrap_err();
    assert!(matches!(error, ConnectError::Url(_)), "{error:?}");
}
