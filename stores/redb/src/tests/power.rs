use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use steadfast::idempotent::{State, Written};
use tokio::runtime::Builder;

use super::{disk::Left, *};

/// What callers have heard of.
#[derive(Debug, Default)]
struct Heard {
    /// The token of each key.
    claimed: HashMap<u64, u64>,
    completed: HashMap<u64, u64>,
    latest: u64,
}

/// Callers who claim and complete until the disk has no power.
async fn work(store: &RedbStore, heard: &Arc<Mutex<Heard>>, round: u64) {
    let callers = (0..8).map(|caller| {
        let (store, heard) = (store.clone(), Arc::clone(heard));
        tokio::spawn(async move {
            for number in (0..).map(|call| (round << 32) + call * 8 + caller) {
                let Ok(claimed) = store.claim(&key(number), &Claim::new(1)).await else { return };
                let Claimed::Acquired(acquired) = claimed else { panic!("{claimed:?}") };
                let token = acquired.token;
                {
                    let mut heard = heard.lock().unwrap();
                    heard.claimed.insert(number, token);
                    heard.latest = heard.latest.max(token);
                }
                let written = store.complete(&key(number), token, true, result(number)).await;
                let Ok(written) = written else { return };
                assert_eq!(written, Written::Yes);
                heard.lock().unwrap().completed.insert(number, token);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
}

async fn check(store: &RedbStore, heard: &Heard) {
    for (&number, &token) in &heard.claimed {
        let found = store.look(&key(number)).await.unwrap();
        let record = found.unwrap_or_else(|| panic!("a claim of {number} is gone")).record;
        assert_eq!(record.token, token);
        match record.state {
            State::Done(stored) => assert_eq!(stored, result(number)),
            State::InProgress => assert!(!heard.completed.contains_key(&number), "{number}"),
            other => panic!("{other:?}"),
        }
    }
    store.check();
}

fn survives(seed: u64) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut chance = Chance::new(seed);
    let disk = TestDisk::default();
    let heard = Arc::new(Mutex::new(Heard::default()));
    for round in 0..3 {
        let left = Left::any(&mut chance);
        let store = open(&disk);
        disk.state().operations_left = Some(chance.below(300));
        runtime.block_on(work(&store, &heard, round));
        disk.lose_power(left, &mut chance);
        drop(store);

        let store = open(&disk);
        let heard = &mut *heard.lock().unwrap();
        runtime.block_on(check(&store, heard));
        let token = runtime.block_on(acquire(&store, u64::MAX - round, 1)).token;
        assert!(token > heard.latest, "{token} after {}", heard.latest);
        heard.latest = token;
    }
}

#[test]
fn what_callers_have_heard_of_survives_a_power_failure() {
    (0..60).for_each(survives);
}

#[test]
#[ignore = "takes minutes"]
fn what_callers_have_heard_of_survives_many_power_failures() {
    (60..5_000).for_each(survives);
}

/// Without syncs all may be lost, but nothing is made of what is left that never was.
#[test]
fn without_syncs_what_is_left_is_whole_or_refused() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut refused = 0;
    for seed in 0..30 {
        let mut chance = Chance::new(seed);
        let disk = TestDisk::default();
        let heard = Arc::default();
        for round in 0..3 {
            let left = Left::any(&mut chance);
            match open_as(&disk, Durability::Process) {
                Ok(store) => {
                    store.check();
                    disk.state().operations_left = Some(chance.below(500));
                    runtime.block_on(work(&store, &heard, round));
                    disk.lose_power(left, &mut chance);
                }
                Err(error) => {
                    assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}");
                    refused += 1;
                    break;
                }
            }
        }
    }
    assert!(refused > 0);
}

/// What was written with syncs is not trusted after a crash without them.
#[test]
fn a_file_that_was_whole_is_whole_or_refused() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (mut whole, mut refused) = (0, 0);
    for seed in 0..20 {
        let mut chance = Chance::new(seed);
        let disk = TestDisk::default();
        let heard = Arc::default();
        let store = open(&disk);
        disk.state().operations_left = Some(1_000);
        runtime.block_on(work(&store, &heard, 0));
        disk.lose_power(Left::Nothing, &mut chance);
        drop(store);

        let before = heard.lock().unwrap().completed.clone();
        let store = open_as(&disk, Durability::Process).unwrap();
        disk.state().operations_left = Some(200 + chance.below(200));
        runtime.block_on(work(&store, &heard, 1));
        disk.lose_power(Left::NoHeader, &mut chance);
        drop(store);
        match open_as(&disk, Durability::Process) {
            Ok(store) => {
                store.check();
                for (number, token) in before {
                    let found = runtime.block_on(store.look(&key(number))).unwrap().unwrap();
                    assert_eq!(found.record.token, token);
                }
                whole += 1;
            }
            Err(error) => {
                assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "{whole}, {refused}");
}
