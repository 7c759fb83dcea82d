//! The laws of all stores, on real servers whose clock the test moves.

use std::time::Duration;

use steadfast::{
    idempotent::{KeyStore, Store},
    testing::{StoreClock, store_contract},
};
use steadfast_redis::RedisStore;
use steadfast_test_servers::{FakeClock, Redis};

/// A server's. What passes is told at once to whoever looks at it.
struct ServerClock(FakeClock);

impl StoreClock for ServerClock {
    /// A slow machine is not to be taken for time that has passed.
    fn unit(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn pass(&self, time: Duration) {
        self.0.pass(time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_laws_of_all_stores() {
    let clock = FakeClock::running();
    let server = Redis::options().clock(&clock).start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    store_contract(&Store::new(store.clone()), &ServerClock(clock.clone())).await;
    // Nothing is left of it once its time is over.
    clock.pass(Duration::from_secs(24 * 3_600));
    assert_eq!(store.count().await.unwrap().all(), 0);
    server.wait_for(&["DBSIZE"], "0");
}

#[tokio::test]
async fn the_clock_is_the_servers() {
    let clock = FakeClock::frozen();
    let server = Redis::options().clock(&clock).start();
    let now = || server.command(&["--raw", "TIME"]).replace('\n', ".");
    let told = || format!("{}.{}", clock.micros() / 1_000_000, clock.micros() % 1_000_000);
    assert_eq!(now(), told());
    server.command(&["SET", "a", "1", "PX", "5000"]);
    clock.pass(Duration::from_millis(4_999));
    assert_eq!((now(), server.command(&["GET", "a"])), (told(), "1".to_owned()));
    clock.pass(Duration::from_millis(2));
    assert_eq!((now(), server.command(&["GET", "a"])), (told(), String::new()));
    clock.set_back(Duration::from_secs(3_600));
    assert_eq!(now(), told());
}

#[cfg(feature = "cluster")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_laws_of_all_stores() {
    use steadfast_test_servers::RedisCluster;

    let clock = FakeClock::running();
    let cluster = RedisCluster::start(3, &Redis::options().clock(&clock));
    let urls = cluster.urls();
    let urls: Vec<_> = urls.iter().map(String::as_str).collect();
    let store = RedisStore::options().connect_cluster(&urls).await.unwrap();
    store_contract(&Store::new(store.clone()), &ServerClock(clock)).await;
}
