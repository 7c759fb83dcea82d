use std::{collections::BTreeMap, time::Duration};

use steadfast::idempotent::{Record, Resolution, Written};
use tokio::{runtime::Builder, time::advance};

use super::*;

/// The records as they should be, without a file, an index or a sweep.
#[derive(Default)]
struct Model {
    records: BTreeMap<u64, Record>,
    tokens: u64,
}

impl Model {
    fn claim(&mut self, number: u64, claim: &Claim, now: u64) -> Claimed {
        let token = self.tokens + 1;
        let claimed = if let Some(record) = self.records.get_mut(&number) {
            record.claim(claim, now, token)
        } else {
            let (record, acquired) = Record::new(claim, now, token);
            self.records.insert(number, record);
            Claimed::Acquired(acquired)
        };
        self.tokens = self.tokens.max(self.records[&number].token);
        claimed
    }
}

/// Without what a model has not.
fn without_watch(mut claimed: Claimed) -> String {
    if let Claimed::InProgress { changed, .. } = &mut claimed {
        *changed = None;
    }
    format!("{claimed:?}")
}

async fn step(store: &RedbStore, model: &mut Model, chance: &mut Chance) {
    let number = chance.below(6);
    let key = key(number);
    let now = store.now();
    let is_expired = model.records.get(&number).is_none_or(|record| record.is_expired(now));
    let what = chance.below(9);
    if what < 4 {
        let seconds = |seconds| Duration::from_secs(seconds);
        let claim = Claim::new(chance.below(4).into())
            .lease(seconds(chance.below(20)))
            .ttl(seconds(chance.below(60)))
            .max_interruptions(u32::try_from(chance.below(3)).unwrap());
        let claimed = store.claim(&key, &claim).await.unwrap();
        assert_eq!(without_watch(claimed), format!("{:?}", model.claim(number, &claim, now)));
        return;
    }
    if what == 4 {
        advance(Duration::from_secs(chance.below(15))).await;
        return;
    }
    if what == 5 {
        store.purge().await.unwrap();
        model.records.retain(|_, record| !record.is_expired(now));
        return;
    }
    // What has expired may have been forgotten or not.
    let Some(record) = model.records.get_mut(&number).filter(|_| !is_expired) else { return };
    let token = if chance.below(3) == 0 { record.token - 1 } else { record.token };
    let (is, should_be) = match what {
        6 => (
            store.complete(&key, token, true, result(number)).await.unwrap(),
            record.complete(token, true, result(number), now),
        ),
        7 if chance.below(2) == 0 => {
            (store.release(&key, token).await.unwrap(), record.release(token, now))
        }
        7 => (store.interrupt(&key, token, true).await.unwrap(), record.interrupt(token, true)),
        _ if chance.below(2) == 0 => {
            let lease = Duration::from_secs(chance.below(100));
            (store.renew(&key, token, lease).await.unwrap(), record.renew(token, lease, now))
        }
        _ => {
            let resolved = store.resolve(&key, &Resolution::DidNotHappen).await.unwrap();
            let should_be = record.resolve(&Resolution::DidNotHappen, now, model.tokens + 1);
            model.tokens = model.tokens.max(record.token);
            assert_eq!(resolved, should_be);
            (Written::Yes, Written::Yes)
        }
    };
    assert_eq!(is, should_be);
}

async fn compare(store: &RedbStore, model: &Model) {
    store.check();
    let now = store.now();
    let mut interrupted = 0;
    for number in 0..6 {
        let record = model.records.get(&number).filter(|record| !record.is_expired(now));
        let found = store.look(&key(number)).await.unwrap().map(|found| found.record);
        assert_eq!(found.as_ref(), record);
        interrupted += usize::from(record.is_some_and(|record| record.is_interrupted(now)));
    }
    assert_eq!(store.interrupted(None, 100).await.unwrap().len(), interrupted);
    assert_eq!(store.count().await.unwrap().interrupted, interrupted as u64);
}

#[test]
fn is_what_the_records_say() {
    for seed in 0..40 {
        let mut chance = Chance::new(seed);
        let runtime =
            Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let disk = TestDisk::default();
            let (mut store, mut model) = (open(&disk), Model::default());
            for at in 1..=120 {
                step(&store, &mut model, &mut chance).await;
                if at % 5 == 0 {
                    compare(&store, &model).await;
                }
                if at % 40 == 0 {
                    drop(store);
                    store = open(&disk);
                }
            }
        });
    }
}
