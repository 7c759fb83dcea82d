//! Figures, to be printed: `cargo test --release -p steadfast-redis --test rates -- --ignored --nocapture`.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use redis::{Client, aio::MultiplexedConnection};
use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, Stored};
use steadfast_redis::RedisStore;
use steadfast_test_servers::Redis;

/// What so many callers at once get done in a second.
async fn rate<F>(callers: u64, call: impl Fn(u64) -> F + Clone + Send + 'static) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let calls = (0..callers).map(|caller| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut made = 0;
            while begun.elapsed() < WHILE {
                call(made * callers + caller).await;
                made += 1;
            }
            made
        })
    });
    let mut made = 0;
    for caller in calls.collect::<Vec<_>>() {
        made += caller.await.unwrap();
    }
    made / WHILE.as_secs()
}

/// Claims and completes.
async fn ours(store: RedisStore, number: u64) {
    let key = Key::new("shop::charge", &number).unwrap();
    let claimed = store.claim(&key, &Claim::new(1)).await.unwrap();
    let Claimed::Acquired(acquired) = claimed else { panic!("{claimed:?}") };
    let result = Stored::of(&format!("{number:0100}"));
    let _ = store.complete(&key, acquired.token, true, result).await.unwrap();
}

async fn replayed(store: RedisStore) {
    let key = Key::new("shop::charge", &0).unwrap();
    let claimed = store.claim(&key, &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(_)));
}

/// The two commands that guard nothing but the first moment.
async fn bare(mut client: MultiplexedConnection, number: u64) {
    let key = format!("bare:{number}");
    let mut command = redis::cmd("SET");
    command.arg(&key).arg("1").arg("NX").arg("PX").arg(30_000);
    let _: Option<String> = command.query_async(&mut client).await.unwrap();
    let mut command = redis::cmd("SET");
    command.arg(&key).arg(format!("{number:0100}")).arg("PX").arg(86_400_000);
    let _: String = command.query_async(&mut client).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn beside_two_bare_sets() {
    let server = Redis::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let client = Client::open(server.url()).unwrap();
    let client = client.get_multiplexed_async_connection().await.unwrap();
    for callers in [1, 64] {
        for round in 0..4 {
            let (pair, number) = (client.clone(), (round * 2 + callers) << 32);
            // Both begin with an empty table, that grows.
            server.command(&["FLUSHALL"]);
            let bare = rate(callers, move |n| bare(pair.clone(), number + n)).await;
            server.command(&["FLUSHALL"]);
            let keys = store.clone();
            let ours = rate(callers, move |n| ours(keys.clone(), number + n)).await;
            #[expect(clippy::cast_precision_loss, reason = "a rate is far below")]
            let ratio = ours as f64 / bare as f64;
            println!("{callers} callers: ours {ours}/s, bare {bare}/s: {ratio:.2}");
        }
        ours_once(&store).await;
        let keys = store.clone();
        println!(
            "{callers} callers: {} replays/s",
            rate(callers, move |_| replayed(keys.clone())).await
        );
    }
}

async fn ours_once(store: &RedisStore) {
    let key = Key::new("shop::charge", &0).unwrap();
    if let Claimed::Acquired(acquired) = store.claim(&key, &Claim::new(1)).await.unwrap() {
        let _ = store.complete(&key, acquired.token, true, Stored::of(&1)).await.unwrap();
    }
}

const WHILE: Duration = Duration::from_secs(2);
