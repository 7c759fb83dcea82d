//! What a store is refused for when it is connected, and what it says of what is kept.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use steadfast::idempotent::{KeyStore, Resolution, Written};
use steadfast_redis::{ConnectError, Log, RedisStore};
use steadfast_test_servers::Redis;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::Field,
    span::{Attributes, Id, Record as Values},
};

use crate::common::{acquire, key, stored};

async fn refused(url: &str) -> ConnectError {
    RedisStore::connect(url).await.expect_err("it is refused")
}

#[tokio::test]
async fn a_url_that_is_none() {
    for url in ["", "localhost", "http://localhost", "redis://localhost/first"] {
        assert!(matches!(refused(url).await, ConnectError::Url(_)), "{url}");
    }
}

#[tokio::test]
async fn there_is_no_server() {
    let mut server = Redis::start();
    let url = server.url();
    server.kill();
    assert!(matches!(refused(&url).await, ConnectError::Unreachable(_)));
    let error = refused("redis://no-such-host.invalid").await;
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let options = RedisStore::options().timeout(Duration::from_millis(100));
    let error = options.connect(&url).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn the_password_is_wrong() {
    let server = Redis::options().password("right").start();
    assert!(RedisStore::connect(&server.url()).await.is_ok());
    for url in
        [format!("redis://:wrong@{}", server.address()), format!("redis://{}", server.address())]
    {
        let error = refused(&url).await;
        assert!(matches!(error, ConnectError::Denied(_)), "{error:?}");
        assert!(!error.to_string().contains("wrong@"), "{error}");
    }
}

#[tokio::test]
async fn a_user_may_not_do_what_is_needed() {
    let server = Redis::start();
    server.command(&["ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-info"]);
    let error = refused(&format!("redis://clerk:secret@{}", server.address())).await;
    assert!(matches!(error, ConnectError::Denied(_)), "{error:?}");
}

#[tokio::test]
async fn a_policy_that_evicts() {
    let server = Redis::options().set("maxmemory-policy", "volatile-ttl").start();
    let error = refused(&server.url()).await;
    assert!(matches!(&error, ConnectError::Evicts(policy) if policy == "volatile-ttl"));
    assert!(error.to_string().contains("set `noeviction`, or say `allow_eviction`"), "{error}");
    let store = RedisStore::options().allow_eviction().connect(&server.url()).await.unwrap();
    assert!(store.durability().evicts);
    acquire(&store, 1, 1).await;
}

#[tokio::test]
async fn a_replica() {
    let (master, replica) = (Redis::start(), Redis::start());
    let port = master.address().port().to_string();
    replica.command(&["REPLICAOF", "127.0.0.1", &port]);
    replica.wait_for(&["INFO", "replication"], "master_link_status:up");
    assert!(matches!(refused(&replica.url()).await, ConnectError::Replica));
    let store = RedisStore::connect(&master.url()).await.unwrap();
    assert_eq!(store.durability().replicas, 1);
    assert!(store.durability().to_string().contains("replicas are asynchronous"));
}

#[tokio::test]
async fn says_what_is_kept() {
    let log =
        async |server: &Redis| RedisStore::connect(&server.url()).await.unwrap().durability().log;
    assert_eq!(log(&Redis::start()).await, Log::Off);
    let server = Redis::options().durable().start();
    assert_eq!(log(&server).await, Log::Always);
    server.command(&["CONFIG", "SET", "appendfsync", "everysec"]);
    assert_eq!(log(&server).await, Log::EverySecond);
    server.command(&["CONFIG", "SET", "appendfsync", "no"]);
    assert_eq!(log(&server).await, Log::Unsynced);
}

/// As at most who hosts it for others.
#[tokio::test]
async fn a_server_without_config() {
    let server = Redis::options().durable().start();
    server.command(&["ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-config"]);
    let url = format!("redis://clerk:secret@{}", server.address());
    let store = RedisStore::connect(&url).await.unwrap();
    assert_eq!(store.durability().log, Log::Unknown);
    acquire(&store, 1, 1).await;
}

#[tokio::test]
async fn prefixes_and_databases_do_not_meet() {
    let server = Redis::start();
    let stores = [
        RedisStore::connect(&server.url()).await.unwrap(),
        RedisStore::options().prefix("shop*").connect(&server.url()).await.unwrap(),
        RedisStore::options().prefix("shop").connect(&server.url()).await.unwrap(),
        RedisStore::connect(&format!("{}/1", server.url())).await.unwrap(),
    ];
    for store in &stores {
        assert_eq!(acquire(store, 1, 1).await.attempt, 1);
    }
    for store in &stores {
        assert_eq!(store.count().await.unwrap().all(), 1);
    }
}

/// What the README says that a user needs.
#[tokio::test]
async fn a_user_with_as_few_rights_as_possible() {
    let server = Redis::start();
    let rights = "+@scripting +@string +@keyspace +info +time";
    let mut command = vec!["ACL", "SETUSER", "clerk", "on", ">secret", "~steadfast:*"];
    command.extend(rights.split(' '));
    server.command(&command);
    let url = format!("redis://clerk:secret@{}", server.address());
    let store = RedisStore::connect(&url).await.unwrap();
    let tokens = [acquire(&store, 1, 1).await.token, acquire(&store, 2, 1).await.token];
    let lease = Duration::from_secs(30);
    assert_eq!(store.renew(&key(1), tokens[0], lease).await.unwrap(), Written::Yes);
    let written = store.complete(&key(1), tokens[0], true, stored("1")).await;
    assert_eq!(written.unwrap(), Written::Yes);
    assert_eq!(store.interrupt(&key(2), tokens[1], true).await.unwrap(), Written::Yes);
    assert_eq!(store.interrupted(None, 10).await.unwrap().len(), 1);
    assert!(store.resolve(&key(2), &Resolution::DidNotHappen).await.unwrap());
    let counts = store.count().await.unwrap();
    assert_eq!((counts.done, counts.released), (1, 1));
    let other = RedisStore::options().prefix("other").connect(&url).await.unwrap_err();
    assert!(matches!(other, ConnectError::Denied(_)), "{other}");
    server.command(&["ACL", "SETUSER", "clerk", "-@scripting"]);
    let scriptless = RedisStore::connect(&url).await.unwrap_err();
    assert!(matches!(scriptless, ConnectError::Denied(_)), "{scriptless}");
    server.command(&["ACL", "SETUSER", "clerk", "+@scripting", "-get"]);
    let blind = RedisStore::connect(&url).await.unwrap_err();
    assert!(matches!(blind, ConnectError::Denied(_)), "{blind}");
}

#[tokio::test]
async fn warns_of_what_may_be_lost() {
    let log = Warnings::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let durable = Redis::options().durable().start();
    RedisStore::connect(&durable.url()).await.unwrap();
    assert_eq!(log.take(), "");
    let volatile = Redis::start();
    RedisStore::connect(&volatile.url()).await.unwrap();
    let warning = log.take();
    assert!(warning.contains("idempotency keys may be lost"), "{warning}");
    assert!(warning.contains("none: all may be lost when the server ends"), "{warning}");
    durable.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    RedisStore::options().allow_eviction().connect(&durable.url()).await.unwrap();
    let warning = log.take();
    assert!(warning.contains("keys may be evicted"), "{warning}");
}

/// What the store has told of as a warning.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<String>>);

impl Warnings {
    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN && metadata.target().starts_with("steadfast_redis")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Values<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        event.record(&mut |_: &Field, value: &dyn Debug| {
            let _ = write!(text, "{value:?} ");
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
