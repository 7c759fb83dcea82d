//! The functions in the database decide as `Record` does, step by step, by a clock that stands still.

use std::{collections::BTreeMap, time::Duration};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Fingerprint, Key, KeyStore, Record, Resolution, Stored, Written,
};
use steadfast_postgres::PostgresStore;

use crate::database::{Database, json, key};

#[derive(Clone, Debug)]
enum Step {
    Claim { key: u32, owner: u128, print: u8, lease: u64, ttl: u64, most: u32 },
    Renew { key: u32, token: Token, lease: u64 },
    Complete { key: u32, token: Token, succeeded: bool, result: Stored },
    Release { key: u32, token: Token },
    Interrupt { key: u32, token: Token, ran: bool },
    Resolve { key: u32, resolution: Resolution },
    Pass { time: u64 },
    Purge,
}

/// Whose token a write has.
#[derive(Clone, Copy, Debug)]
enum Token {
    Own,
    Stale,
    OfKey(u32),
}

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        Just(json("17")),
        Just(json("")),
        any::<u32>().prop_map(|size| Stored::TooLarge { size: size.into() }),
        Just(Stored::Unserializable),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let keys = 0..3_u32;
    let tokens = prop_oneof![
        6 => Just(Token::Own),
        1 => Just(Token::Stale),
        1 => (0..3_u32).prop_map(Token::OfKey),
    ];
    let written = (keys.clone(), tokens);
    let resolutions = prop_oneof![
        Just(Resolution::DidNotHappen),
        stored().prop_map(Resolution::Done),
        stored().prop_map(Resolution::Failed),
    ];
    prop_oneof![
        6 => (keys.clone(), 0..4_u128, 0..3_u8, 0..20_u64, 0..40_u64, 0..4_u32).prop_map(
            |(key, owner, print, lease, ttl, most)| {
                Step::Claim { key, owner, print, lease, ttl, most }
            }
        ),
        2 => (written.clone(), 0..40_u64)
            .prop_map(|((key, token), lease)| Step::Renew { key, token, lease }),
        2 => (written.clone(), any::<bool>(), stored()).prop_map(
            |((key, token), succeeded, result)| Step::Complete { key, token, succeeded, result }
        ),
        1 => written.clone().prop_map(|(key, token)| Step::Release { key, token }),
        2 => (written, any::<bool>())
            .prop_map(|((key, token), ran)| Step::Interrupt { key, token, ran }),
        1 => (keys, resolutions).prop_map(|(key, resolution)| Step::Resolve { key, resolution }),
        3 => (0..25_u64).prop_map(|time| Step::Pass { time }),
        1 => Just(Step::Purge),
    ]
}

#[test]
fn is_what_the_records_say() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = Database::new();
    let (store, clock) = runtime.block_on(async {
        let store = database.store().await;
        database.sql(
            "CREATE TABLE time AS SELECT to_timestamp(0) AS now;
             CREATE OR REPLACE FUNCTION steadfast.clock() RETURNS timestamptz
             LANGUAGE sql VOLATILE AS $$ SELECT t.now FROM public.time AS t $$",
        );
        (store, database.connection().await)
    });
    let mut bench = (store, clock);
    // In microseconds, of which half may be none; and in times of which ten minutes are a few.
    for unit in [Duration::from_micros(1), Duration::from_secs(137)] {
        let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
        let cell = std::cell::RefCell::new(&mut bench);
        TestRunner::new(config)
            .run(&vec(step(), 1..50), |steps| {
                let mut cell = cell.borrow_mut();
                let (store, clock) = &mut **cell;
                runtime.block_on(try_steps(store, clock, unit, &steps));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("in units of {unit:?}: {error}"));
    }
}

async fn try_steps(
    store: &PostgresStore,
    clock: &mut PgConnection,
    unit: Duration,
    steps: &[Step],
) {
    let mut run = Run { store, clock, unit, now: START, records: BTreeMap::new(), last: 0 };
    run.clock.execute("TRUNCATE steadfast.keys").await.unwrap();
    run.set_clock().await;
    for step in steps {
        run.step(step).await;
        run.compare().await;
    }
}

struct Run<'a> {
    store: &'a PostgresStore,
    clock: &'a mut PgConnection,
    unit: Duration,
    /// In microseconds.
    now: u64,
    records: BTreeMap<u32, Record>,
    /// The highest token so far.
    last: u64,
}

impl Run<'_> {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Claim { key, owner, print, lease, ttl, most } => {
                let print = match print {
                    0 => Fingerprint::NONE,
                    print => Fingerprint::new(print).unwrap(),
                };
                let (lease, ttl) = (self.span(*lease), self.span(*ttl));
                let claim = Claim::new(*owner).fingerprint(print).lease(lease).ttl(ttl);
                self.claim(*key, &claim.max_interruptions(*most)).await;
            }
            Step::Renew { key, token, lease } => {
                let (now, token, lease) =
                    (self.nanos(), self.token(*key, *token), self.span(*lease));
                let is = self.store.renew(&self::key(*key), token, lease).await.unwrap();
                assert_eq!(is, self.written(*key, |record| record.renew(token, lease, now)));
            }
            Step::Complete { key, token, succeeded, result } => {
                let (now, token) = (self.nanos(), self.token(*key, *token));
                let (name, result) = (self::key(*key), result.clone());
                let is = self.store.complete(&name, token, *succeeded, result.clone());
                let is = is.await.unwrap();
                let should_be =
                    self.written(*key, |record| record.complete(token, *succeeded, result, now));
                assert_eq!(is, should_be);
            }
            Step::Release { key, token } => {
                let (now, token) = (self.nanos(), self.token(*key, *token));
                let is = self.store.release(&self::key(*key), token).await.unwrap();
                assert_eq!(is, self.written(*key, |record| record.release(token, now)));
            }
            Step::Interrupt { key, token, ran } => {
                let token = self.token(*key, *token);
                let is = self.store.interrupt(&self::key(*key), token, *ran).await.unwrap();
                assert_eq!(is, self.written(*key, |record| record.interrupt(token, *ran)));
            }
            Step::Resolve { key, resolution } => self.resolve(*key, resolution).await,
            Step::Pass { time } => {
                self.now += u64::try_from(self.span(*time).as_micros()).unwrap();
                self.set_clock().await;
            }
            Step::Purge => {
                let (now, before) = (self.nanos(), self.records.len());
                self.records.retain(|_, record| !record.is_expired(now));
                let purged = before - self.records.len();
                assert_eq!(self.store.purge().await.unwrap(), purged as u64);
            }
        }
    }

    async fn claim(&mut self, number: u32, claim: &Claim) {
        let now = self.nanos();
        let is = self.store.claim(&key(number), claim).await.unwrap();
        // Any token will do that is greater than those before.
        let token = match &is {
            Claimed::Acquired(acquired) => acquired.token,
            _ => self.last + 1,
        };
        let should_be = if let Some(record) = self.records.get_mut(&number) {
            record.claim(claim, now, token)
        } else {
            assert!(token > self.last, "{token} after {}", self.last);
            let (record, acquired) = Record::new(claim, now, token);
            self.records.insert(number, record);
            Claimed::Acquired(acquired)
        };
        assert_eq!(format!("{is:?}"), format!("{should_be:?}"));
        self.last = self.last.max(self.records[&number].token);
    }

    async fn resolve(&mut self, number: u32, resolution: &Resolution) {
        let now = self.nanos();
        let is = self.store.resolve(&key(number), resolution).await.unwrap();
        let found = self.store.look(&key(number)).await.unwrap();
        let token = found.map_or(0, |found| found.record.token);
        let last = self.last;
        let should_be = self.records.get_mut(&number).is_some_and(|record| {
            let resolved = record.resolve(resolution, now, token);
            assert!(!resolved || token > last, "{token} after {last}");
            resolved
        });
        assert_eq!(is, should_be);
        self.last = self.last.max(token);
    }

    async fn compare(&mut self) {
        let now = self.nanos();
        let mut counts = Counts::default();
        let mut interrupted = Vec::new();
        for number in 0..3 {
            let record = self.records.get(&number).filter(|record| !record.is_expired(now));
            let found = self.store.look(&key(number)).await.unwrap();
            assert_eq!(found.as_ref().map_or(now, |found| found.now), now);
            assert_eq!(found.as_ref().map(|found| &found.record), record);
            if let Some(record) = record {
                counts.add(record, now);
                interrupted.extend(record.is_interrupted(now).then(|| key(number)));
            }
        }
        assert_eq!(self.store.count().await.unwrap(), counts);
        let listed = self.store.interrupted(None, 10).await.unwrap();
        let mut listed: Vec<_> = listed.into_iter().map(|found| found.key.to_bytes()).collect();
        assert!(listed.is_sorted());
        let mut interrupted: Vec<_> = interrupted.iter().map(Key::to_bytes).collect();
        interrupted.sort();
        listed.sort();
        assert_eq!(listed, interrupted);
    }

    /// What comes of a write, should there be a record.
    fn written(&mut self, key: u32, write: impl FnOnce(&mut Record) -> Written) -> Written {
        self.records.get_mut(&key).map_or(Written::LeaseLost, write)
    }

    fn token(&self, key: u32, token: Token) -> u64 {
        let of = |key| self.records.get(&key).map_or(1, |record: &Record| record.token);
        match token {
            Token::Own => of(key),
            Token::Stale => of(key) - 1,
            Token::OfKey(other) => of(other),
        }
    }

    fn span(&self, units: u64) -> Duration {
        self.unit * u32::try_from(units).unwrap()
    }

    fn nanos(&self) -> u64 {
        self.now * 1_000
    }

    async fn set_clock(&mut self) {
        let sql = format!(
            "UPDATE time SET now = timestamptz 'epoch' + {} * interval '1 microsecond'",
            self.now
        );
        self.clock.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// In microseconds: some time in 2026.
const START: u64 = 1_780_000_000_123_457;
