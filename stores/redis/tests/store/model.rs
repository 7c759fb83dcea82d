//! The scripts and `Record`, side by side: the same steps by chance, by the same clock, and the same
//! answers and records after each.

use std::{collections::BTreeMap, time::Duration};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Fingerprint, Key, KeyStore, Record, Resolution, State, Stored, Written,
};
use steadfast_redis::RedisStore;
use steadfast_test_servers::{FakeClock, Redis};
use tokio::runtime::Runtime;

#[derive(Clone, Debug)]
enum Step {
    Claim { owner: u8, print: u8, lease: u64, ttl: u64, most: u32 },
    Renew { token: i8, lease: u64 },
    Complete { token: i8, succeeded: bool, result: Stored },
    Release { token: i8 },
    Interrupt { token: i8, ran: bool },
    Resolve(Resolution),
    Pass(u64),
    SetBack(u64),
}

/// In microseconds: those at which something rounds, those of leases, and that of a tombstone.
fn times() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(999),
        0..5_000_u64,
        0..30_000_000_u64,
        590_000_000..610_000_000_u64,
        0..4_000_000_000_u64,
    ]
}

fn results() -> impl Strategy<Value = Stored> {
    prop_oneof![
        vec(any::<u8>(), 0..200).prop_map(|json| Stored::Json(json.into())),
        any::<u64>().prop_map(|size| Stored::TooLarge { size }),
        Just(Stored::Unserializable),
    ]
}

/// Mostly the record's own token.
fn tokens() -> impl Strategy<Value = i8> {
    prop_oneof![6 => Just(0), 1 => Just(-1), 1 => Just(1)]
}

fn steps() -> impl Strategy<Value = Step> {
    let resolutions = prop_oneof![
        Just(Resolution::DidNotHappen),
        results().prop_map(Resolution::Done),
        results().prop_map(Resolution::Failed),
    ];
    prop_oneof![
        6 => (0..4_u8, 0..3_u8, times(), times(), 0..4_u32).prop_map(
            |(owner, print, lease, ttl, most)| Step::Claim { owner, print, lease, ttl, most }
        ),
        2 => (tokens(), times()).prop_map(|(token, lease)| Step::Renew { token, lease }),
        2 => (tokens(), any::<bool>(), results()).prop_map(
            |(token, succeeded, result)| Step::Complete { token, succeeded, result }
        ),
        2 => tokens().prop_map(|token| Step::Release { token }),
        2 => (tokens(), any::<bool>()).prop_map(|(token, ran)| Step::Interrupt { token, ran }),
        2 => resolutions.prop_map(Step::Resolve),
        4 => times().prop_map(Step::Pass),
        1 => times().prop_map(Step::SetBack),
    ]
}

struct Sides<'a> {
    store: RedisStore,
    clock: &'a FakeClock,
    records: BTreeMap<u8, Record>,
}

fn key(number: u8) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

fn micros(count: u64) -> Duration {
    Duration::from_micros(count)
}

impl Sides<'_> {
    fn now(&self) -> u64 {
        self.clock.micros() * 1_000
    }

    /// What the server has forgotten: a millisecond and more after the record and its token.
    fn forget(&mut self) {
        let now = self.now() / 1_000_000;
        self.records.retain(|_, record| now <= forgotten_at(record));
    }

    /// A record whose time was over when it was released is forgotten at the very millisecond.
    fn forget_released(&mut self, number: u8) {
        let now = self.now() / 1_000_000;
        if self.records.get(&number).is_some_and(|record| now >= forgotten_at(record)) {
            self.records.remove(&number);
        }
    }

    async fn take(&mut self, number: u8, step: Step) {
        match step {
            Step::Pass(time) => {
                self.clock.pass(micros(time));
                return self.forget();
            }
            Step::SetBack(time) => return self.clock.set_back(micros(time)),
            _ => {}
        }
        let (store, key, now) = (&self.store, &key(number), self.now());
        let token = now / 1_000;
        if let Step::Claim { owner, print, lease, ttl, most } = step {
            let print =
                if print == 0 { Fingerprint::NONE } else { Fingerprint::new(&print).unwrap() };
            let claim = Claim::new(u128::MAX - u128::from(owner))
                .fingerprint(print)
                .lease(micros(lease))
                .ttl(micros(ttl))
                .max_interruptions(most);
            let is = store.claim(key, &claim).await.unwrap();
            let should_be = if let Some(record) = self.records.get_mut(&number) {
                record.claim(&claim, now, token)
            } else {
                let (record, acquired) = Record::new(&claim, now, token);
                self.records.insert(number, record);
                Claimed::Acquired(acquired)
            };
            assert_eq!(format!("{is:?}"), format!("{should_be:?}"));
            return;
        }
        let record = self.records.get_mut(&number);
        let ends = matches!(step, Step::Release { .. })
            && record.as_ref().is_some_and(|record| record.state == State::InProgress);
        let current = record.as_ref().map_or(token, |record| record.token);
        let of = |by: i8| current.saturating_add_signed(by.into());
        let lost = Written::LeaseLost;
        let (is, should_be) = match step {
            Step::Renew { token, lease } => (
                store.renew(key, of(token), micros(lease)).await,
                record.map_or(lost, |record| record.renew(of(token), micros(lease), now)),
            ),
            Step::Complete { token, succeeded, result } => (
                store.complete(key, of(token), succeeded, result.clone()).await,
                record.map_or(lost, |record| record.complete(of(token), succeeded, result, now)),
            ),
            Step::Release { token } => (
                store.release(key, of(token)).await,
                record.map_or(lost, |record| record.release(of(token), now)),
            ),
            Step::Interrupt { token, ran } => (
                store.interrupt(key, of(token), ran).await,
                record.map_or(lost, |record| record.interrupt(of(token), ran)),
            ),
            Step::Resolve(resolution) => {
                let is = store.resolve(key, &resolution).await.unwrap();
                let should_be =
                    record.is_some_and(|record| record.resolve(&resolution, now, token));
                assert_eq!(is, should_be);
                return;
            }
            Step::Claim { .. } | Step::Pass(_) | Step::SetBack(_) => unreachable!("done above"),
        };
        assert_eq!(is.unwrap(), should_be);
        if ends && should_be == Written::Yes {
            self.forget_released(number);
        }
    }

    async fn compare(&self) {
        let now = self.now();
        let (mut counts, mut interrupted) = (Counts::default(), Vec::new());
        for number in 0..KEYS {
            let record = self.records.get(&number).filter(|record| !record.is_expired(now));
            let found = self.store.look(&key(number)).await.unwrap();
            assert!(found.as_ref().is_none_or(|found| found.now == now));
            assert_eq!(found.map(|found| found.record).as_ref(), record);
            if let Some(record) = record {
                counts.add(record, now);
                interrupted.extend(record.is_interrupted(now).then(|| key(number).to_bytes()));
            }
        }
        interrupted.sort();
        assert_eq!(self.store.count().await.unwrap(), counts);
        let listed = self.store.interrupted(None, 10).await.unwrap();
        assert_eq!(
            listed.iter().map(|found| found.key.to_bytes()).collect::<Vec<_>>(),
            interrupted
        );
    }
}

/// In milliseconds.
fn forgotten_at(record: &Record) -> u64 {
    (record.expires_at / 1_000).max(record.token) / 1_000 + 1
}

#[test]
fn the_scripts_are_what_the_records_say() {
    let (clock, runtime) = (FakeClock::frozen(), Runtime::new().unwrap());
    let server = Redis::options().clock(&clock).start();
    let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let cases = vec((0..KEYS, steps()), 1..80);
    let outcome = runner.run(&cases, |steps| {
        runtime.block_on(async {
            let store = RedisStore::connect(&server.url()).await.unwrap();
            server.command(&["FLUSHALL"]);
            let mut sides = Sides { store, clock: &clock, records: BTreeMap::new() };
            for (number, step) in steps {
                sides.take(number, step).await;
                sides.compare().await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

const KEYS: u8 = 3;
