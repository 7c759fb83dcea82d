//! Calls of an annotated function, from processes that share nothing but the server.

use std::sync::atomic::{AtomicU32, Ordering};

use steadfast::idempotent::Store;
use steadfast_redis::RedisStore;
use steadfast_test_servers::{Proxy, Redis};
use tokio::sync::Notify;

#[tokio::test]
async fn runs_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[steadfast::idempotent(key = order, store = store)]
    async fn charge(store: &Store, order: u64) -> Result<u32, steadfast::Error> {
        tokio::task::yield_now().await;
        Ok(order.try_into().unwrap_or(0) + RUNS.fetch_add(1, Ordering::Relaxed))
    }

    let server = Redis::start();
    let mut calls = Vec::new();
    for _ in 0..8 {
        let store = Store::new(RedisStore::connect(&server.url()).await.unwrap());
        for _ in 0..2 {
            let store = store.clone();
            calls.push(tokio::spawn(async move { charge(&store, 17).await.unwrap() }));
        }
    }
    for call in calls {
        assert_eq!(call.await.unwrap(), 17);
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn its_result_is_recorded_once_the_server_is_back() {
    #[steadfast::idempotent(key = order, store = store)]
    async fn charge(
        store: &Store,
        order: u64,
        proxy: &Proxy,
        has_run: &Notify,
    ) -> Result<u64, steadfast::Error> {
        proxy.cut_off();
        has_run.notify_one();
        Ok(order)
    }

    let server = Redis::start();
    let (proxy, has_run) = (Proxy::before(server.address()), Notify::new());
    let url = format!("redis://{}", proxy.address());
    let store = Store::new(RedisStore::connect(&url).await.unwrap());
    let restored = async {
        has_run.notified().await;
        // What came of it is tried to be written, in vain at first.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        proxy.restore();
    };
    let (charged, ()) = tokio::join!(charge(&store, 17, &proxy, &has_run), restored);
    assert_eq!(charged.unwrap(), 17);
    let direct = Store::new(RedisStore::connect(&server.url()).await.unwrap());
    assert_eq!(direct.count().await.unwrap().done, 1);
}
