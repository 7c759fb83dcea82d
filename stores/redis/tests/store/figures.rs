//! What an operation costs: round trips, and memory.

use std::time::Duration;

use steadfast::idempotent::{Claim, Claimed, KeyStore, Stored, Written};
use steadfast_redis::RedisStore;
use steadfast_test_servers::{Proxy, Redis};

use crate::common::{acquire, key, stored};

#[tokio::test]
async fn one_round_trip_each() {
    let server = Redis::start();
    let proxy = Proxy::before(server.address());
    let store = RedisStore::connect(&format!("redis://{}", proxy.address())).await.unwrap();
    let lease = Duration::from_secs(30);
    for round in 0..2 {
        let first = round * 10;
        let keys = [first, first + 1, first + 2].map(key);
        let claims = [
            trips(&proxy, store.claim(&keys[0], &Claim::new(1))).await,
            trips(&proxy, store.claim(&keys[1], &Claim::new(1))).await,
            trips(&proxy, store.claim(&keys[2], &Claim::new(1))).await,
        ];
        let tokens = claims.each_ref().map(|(claimed, _)| match claimed {
            Claimed::Acquired(acquired) => acquired.token,
            other => panic!("{other:?}"),
        });
        let mut counts: Vec<_> = claims.iter().map(|(_, count)| *count).collect();
        let writes = [
            trips(&proxy, store.renew(&keys[0], tokens[0], lease)).await,
            trips(&proxy, store.complete(&keys[0], tokens[0], true, stored("1"))).await,
            trips(&proxy, store.release(&keys[1], tokens[1])).await,
            trips(&proxy, store.interrupt(&keys[2], tokens[2], true)).await,
        ];
        for (written, count) in writes {
            assert_eq!(written, Written::Yes);
            counts.push(count);
        }
        let (replayed, count) = trips(&proxy, store.claim(&keys[0], &Claim::new(2))).await;
        assert!(matches!(replayed, Claimed::Done(_)));
        counts.push(count);
        counts.push(trips(&proxy, store.look(&keys[0])).await.1);
        // The first time, the server does not know the scripts.
        if round == 1 {
            assert_eq!(counts, [1; 9]);
        }
    }
}

async fn trips<T: Unpin>(proxy: &Proxy, reply: steadfast::idempotent::Reply<'_, T>) -> (T, u64) {
    let before = proxy.round_trips();
    let answer = reply.await.unwrap();
    (answer, proxy.round_trips() - before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_forty_clients_gets_each_key() {
    let server = Redis::start();
    let mut clients = Vec::new();
    for owner in 0..40 {
        let store = RedisStore::connect(&server.url()).await.unwrap();
        clients.push(tokio::spawn(async move {
            let mut acquired = 0;
            for number in 0..25 {
                match store.claim(&key(number), &Claim::new(owner)).await.unwrap() {
                    Claimed::Acquired(_) => acquired += 1,
                    Claimed::InProgress { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
            acquired
        }));
    }
    let mut acquired = 0;
    for client in clients {
        acquired += client.await.unwrap();
    }
    assert_eq!(acquired, 25);
}

#[tokio::test]
async fn memory_per_record() {
    let server = Redis::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let used = || {
        let memory = server.command(&["INFO", "memory"]);
        let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:"));
        used.unwrap().trim().parse::<u64>().unwrap()
    };
    // The scripts are not of any record.
    let token = acquire(&store, 1 << 40, 1).await.token;
    let long = Stored::Json(vec![b'1'; 200].into());
    assert_eq!(store.complete(&key(1 << 40), token, true, long).await.unwrap(), Written::Yes);
    for (length, most) in [(0, 280), (40, 340), (200, 540), (1_000, 1_600), (4_096, 5_800)] {
        let (before, first) = (used(), length << 20);
        for number in first..first + RECORDS {
            let token = acquire(&store, number, 1).await.token;
            if length > 0 {
                let result = Stored::Json(vec![b'1'; usize::try_from(length).unwrap()].into());
                let written = store.complete(&key(number), token, true, result).await;
                assert_eq!(written.unwrap(), Written::Yes);
            }
        }
        let bytes = (used() - before) / RECORDS;
        println!("{bytes} bytes of memory with a result of {length}");
        assert!(bytes < most, "{bytes} bytes for a result of {length}");
    }
}

const RECORDS: u64 = 2_000;
