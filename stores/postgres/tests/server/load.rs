//! Many at once.

use std::time::{Duration, Instant};

use steadfast::idempotent::{Claim, Claimed, KeyStore, Stored, Written};
use steadfast_postgres::PostgresStore;

use crate::database::{Database, acquired, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_tasks_one_gets_each_of_200_keys() {
    let store = Database::new().store().await;
    let tasks = (0..64_u32).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut acquired = 0;
            for at in 0..200 {
                // Not all in the same order.
                let key = key((at + task * 7) % 200);
                match store.claim(&key, &Claim::new(task.into())).await.unwrap() {
                    Claimed::Acquired(_) => acquired += 1,
                    Claimed::InProgress { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
            acquired
        })
    });
    let mut acquired = 0;
    for task in tasks.collect::<Vec<_>>() {
        acquired += task.await.unwrap();
    }
    assert_eq!(acquired, 200);
}

/// An update that stays in its page touches no index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewals_and_results_stay_in_their_pages() {
    // Calls of 64 tasks, renewed once.
    let share = share_in_pages(1, true).await;
    assert!(share >= 0.99, "{share}");
    // Such that are all under way before the first ends: then a page has room for what they write, though
    // nothing in it can be thrown away.
    let share = share_in_pages(EACH, false).await;
    assert!(share >= 0.99, "{share}");
}

async fn share_in_pages(at_once: u32, renews: bool) -> f64 {
    let database = Database::new();
    let store = database.store().await;
    let start = Instant::now();
    let tasks = (0..TASKS).map(|task| {
        let store = store.clone();
        tokio::spawn(async move {
            for from in (0..EACH).step_by(at_once as usize) {
                call(&store, task * EACH + from, at_once, renews).await;
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let took = start.elapsed();
    let all = TASKS * EACH * (1 + u32::from(renews));
    let (updates, hot) = count_updates(&store, &database, all).await;
    let share = f64::from(hot) / f64::from(updates);
    let size = database.sql("SELECT pg_size_pretty(pg_table_size('steadfast.keys'))");
    println!(
        "{at_once} at once: {hot} of {updates} updates stayed in their pages, {:.2} %, of {size}; \
         {:.0} calls a second",
        share * 100.0,
        f64::from(TASKS * EACH) / took.as_secs_f64(),
    );
    share
}

/// So many calls.
async fn call(store: &PostgresStore, from: u32, many: u32, renews: bool) {
    let mut held = Vec::new();
    for number in from..from + many {
        let claimed = store.claim(&key(number), &Claim::new(1)).await.unwrap();
        held.push((key(number), acquired(claimed).token));
    }
    for (key, token) in held.iter().filter(|_| renews) {
        let renewed = store.renew(key, *token, Duration::from_secs(30)).await.unwrap();
        assert_eq!(renewed, Written::Yes);
    }
    for (key, token) in &held {
        let result = Stored::Json(vec![b'1'; 100].into());
        let done = store.complete(key, *token, true, result).await.unwrap();
        assert_eq!(done, Written::Yes);
    }
}

/// The server's processes tell of what they have done about once a second, when they do something.
async fn count_updates(store: &PostgresStore, database: &Database, all: u32) -> (u32, u32) {
    let give_up = Instant::now() + Duration::from_mins(1);
    loop {
        let nudges = (0..32).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.look(&key(0)).await.unwrap() })
        });
        for nudge in nudges.collect::<Vec<_>>() {
            nudge.await.unwrap();
        }
        let counted = database
            .sql("SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'keys'");
        let (updates, hot) = counted.split_once('|').unwrap();
        let (updates, hot) = (updates.parse().unwrap(), hot.parse().unwrap());
        if updates == all {
            return (updates, hot);
        }
        assert!(Instant::now() < give_up, "{updates} of {all} updates are counted");
    }
}

const TASKS: u32 = 64;
const EACH: u32 = 100;
