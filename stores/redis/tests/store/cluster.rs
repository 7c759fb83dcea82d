//! A cluster whose nodes fail.

use std::time::{Duration, Instant};

use steadfast::idempotent::{KeyStore, StoreError, Written};
use steadfast_redis::{ConnectError, RedisStore};
use steadfast_test_servers::{Redis, RedisCluster};

use crate::common::{acquire, key, stored};

async fn connect(urls: &[&str]) -> Result<RedisStore, ConnectError> {
    RedisStore::options().connect_cluster(urls).await
}

/// So many keys, on all nodes: their tokens.
async fn acquire_some(store: &RedisStore) -> Vec<(u64, u64)> {
    let mut tokens = Vec::new();
    for number in 0..30 {
        tokens.push((number, acquire(store, number, 1).await.token));
    }
    tokens
}

/// Asks again and again, as a call does.
async fn complete_at_last(store: &RedisStore, number: u64, token: u64) -> Written {
    let begun = Instant::now();
    loop {
        match store.complete(&key(number), token, true, stored("1")).await {
            Ok(written) => return written,
            Err(StoreError::Unavailable(_)) if begun.elapsed() < Duration::from_secs(20) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(other) => panic!("after {:?}: {other}", begun.elapsed()),
        }
    }
}

#[tokio::test]
async fn says_why_it_cannot_be_connected() {
    let cluster = RedisCluster::start(3, &Redis::options().password("right"));
    let urls = cluster.urls();
    let error = RedisStore::connect(&urls[0]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Cluster), "{error:?}");
    let alone = Redis::start();
    let error = connect(&[&alone.url()]).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoCluster), "{error:?}");
    let error = connect(&[]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Url(_)), "{error:?}");
    let error = connect(&[&urls[0].replace("right", "wrong")]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Denied(_)), "{error:?}");
    // One node is enough to find the others, and each of them is checked.
    cluster.nodes[2].command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    let error = connect(&[&urls[0]]).await.unwrap_err();
    assert!(matches!(error, ConnectError::Evicts(_)), "{error:?}");
    cluster.nodes[2].command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert!(connect(&["redis://:right@127.0.0.1:1", &urls[0]]).await.is_ok());
}

#[tokio::test]
async fn all_connections_and_scripts_are_lost() {
    let cluster = RedisCluster::start(3, &Redis::options());
    let store = connect(&[&cluster.nodes[0].url()]).await.unwrap();
    let tokens = acquire_some(&store).await;
    assert_eq!(store.count().await.unwrap().in_progress, 30);
    for node in &cluster.nodes {
        assert_ne!(node.command(&["DBSIZE"]), "0");
        node.command(&["SCRIPT", "FLUSH"]);
        node.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    }
    for (number, token) in tokens {
        assert_eq!(complete_at_last(&store, number, token).await, Written::Yes);
    }
    assert_eq!(store.count().await.unwrap().done, 30);
}

#[tokio::test]
async fn a_node_is_killed_and_started_again() {
    let mut cluster = RedisCluster::start(3, &Redis::options().durable());
    // Each key of a node that is not there takes so long.
    let options = RedisStore::options().timeout(Duration::from_millis(300));
    let store = options.connect_cluster(&[&cluster.nodes[0].url()]).await.unwrap();
    let tokens = acquire_some(&store).await;
    cluster.nodes[1].kill();
    let mut failed = Vec::new();
    for &(number, token) in &tokens {
        match store.complete(&key(number), token, true, stored("1")).await {
            Ok(written) => assert_eq!(written, Written::Yes),
            Err(StoreError::Unavailable(_)) => failed.push((number, token)),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(!failed.is_empty() && failed.len() < tokens.len(), "{} of 30", failed.len());
    cluster.nodes[1].restart();
    for (number, token) in failed {
        assert_eq!(complete_at_last(&store, number, token).await, Written::Yes);
    }
    assert_eq!(store.count().await.unwrap().done, 30);
}

#[tokio::test]
async fn a_replica_takes_over() {
    let mut cluster = RedisCluster::start(3, &Redis::options());
    cluster.add_replica(1);
    let store = connect(&[&cluster.nodes[0].url()]).await.unwrap();
    let tokens = acquire_some(&store).await;
    let keys = cluster.nodes[1].command(&["DBSIZE"]);
    cluster.nodes[3].wait_for(&["DBSIZE"], &keys);
    cluster.nodes[1].kill();
    cluster.nodes[3].command(&["CLUSTER", "FAILOVER", "TAKEOVER"]);
    cluster.nodes[3].wait_for(&["INFO", "replication"], "role:master");
    for (number, token) in tokens {
        assert_eq!(complete_at_last(&store, number, token).await, Written::Yes);
    }
    assert_eq!(store.count().await.unwrap().done, 30);
}
