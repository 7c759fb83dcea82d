//! What is kept for duplicates, and what is not.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Serialize};
use steadfast::{
    Error,
    idempotent::{current, marked},
};

use super::{Failure, in_memory, observed, refused};

#[tokio::test(start_paused = true)]
async fn an_error_is_kept_where_the_attribute_says_so() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, cache_err = |e| *e == Failure::Declined)]
    async fn charge(id: u64, runs: &AtomicU32) -> Result<u64, Failure> {
        runs.fetch_add(1, Ordering::Relaxed);
        Err(if id == 1 { Failure::Declined } else { Failure::Busy })
    }
    let runs = AtomicU32::new(0);
    for _ in 0..2 {
        assert_eq!(charge(1, &runs).await, Err(Failure::Declined));
    }
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    for _ in 0..2 {
        assert_eq!(charge(2, &runs).await, Err(Failure::Busy));
    }
    assert_eq!(runs.load(Ordering::Relaxed), 3);
    let (_, replayed) = marked(charge(1, &runs)).await;
    assert_eq!(replayed, Some(true));
}

/// Not what steadfast itself says, however final the function takes its errors for.
#[tokio::test(start_paused = true)]
async fn a_refusal_never_is() {
    in_memory!(STORE);
    fn always(_: &Failure) -> bool {
        true
    }
    #[steadfast::idempotent(key = id, store = STORE, cache_err = always)]
    #[steadfast::circuit_breaker(consecutive = 1)]
    async fn charge(id: u64) -> Result<u32, Failure> {
        if id == 1 { Err(Failure::Busy) } else { Ok(current().attempt()) }
    }
    assert_eq!(charge(1).await, Err(Failure::Busy));
    assert_eq!(charge(2).await, refused("CircuitOpen"));
    tokio::time::sleep(super::SECOND * 60).await;
    assert_eq!(charge(2).await, Ok(2));
    assert_eq!(charge(1).await, Err(Failure::Busy), "that was the function's own");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_kept_is_not_run_again() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = size, store = STORE)]
    async fn large_result(size: usize) -> Result<String, Failure> {
        Ok("x".repeat(size))
    }
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn odd_result(id: u8) -> Result<HashMap<(u8, u8), u8>, Failure> {
        Ok(HashMap::from([((id, id), id)]))
    }
    let (large, odd) = (observed("::large_result"), observed("::odd_result"));
    let longest = (256 << 10) - 2;
    assert_eq!(large_result(longest).await.map(|text| text.len()), Ok(longest));
    assert_eq!(large_result(longest).await.map(|text| text.len()), Ok(longest));
    assert_eq!(large_result(longest + 1).await.map(|text| text.len()), Ok(longest + 1));
    assert_eq!(large_result(longest + 1).await, refused("ResultUnavailable"));
    assert_eq!(odd_result(1).await.map(|map| map.len()), Ok(1));
    assert_eq!(odd_result(1).await, refused("ResultUnavailable"));
    assert_eq!(large.try_iter().collect::<Vec<_>>(), ["replayed", "omitted", "replayed"]);
    assert_eq!(odd.try_iter().collect::<Vec<_>>(), ["omitted", "replayed"]);
}

/// A release with another type finds what the one before has kept.
#[tokio::test(start_paused = true)]
async fn a_type_that_has_changed_is_told_and_not_misread() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Then {
        amount: u64,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Grown {
        amount: u64,
        #[serde(default)]
        currency: Option<String>,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Other {
        cents: u64,
    }
    in_memory!(STORE);
    macro_rules! release {
        ($name:ident, $result:expr) => {{
            #[steadfast::idempotent(key = id, store = STORE, scope = "charge")]
            async fn charge(id: u64) -> Result<$name, Error> {
                Ok($result)
            }
            charge(7).await
        }};
    }
    #[steadfast::idempotent(key = id, store = STORE, scope = "charge")]
    async fn then(id: u64) -> Result<Then, Error> {
        Ok(Then { amount: id })
    }
    assert_eq!(then(7).await.expect("it runs").amount, 7);
    let grown = release!(Grown, Grown { amount: 0, currency: None }).expect("it reads");
    assert_eq!((grown.amount, grown.currency), (7, None));
    let other = release!(Other, Other { cents: 0 });
    assert!(matches!(other, Err(Error::ResultIncompatible { .. })), "{other:?}");
}

/// A function that has stopped to keep its errors does not know one that was kept.
#[tokio::test(start_paused = true)]
async fn an_error_that_nobody_reads_is_told() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "errors", cache_err(Failure::is_declined))]
    async fn keeps(id: u64) -> Result<u64, Failure> {
        Err(Failure::Declined)
    }
    #[steadfast::idempotent(key = id, store = STORE, scope = "errors")]
    async fn does_not(id: u64) -> Result<u64, Failure> {
        Ok(id)
    }
    assert_eq!(keeps(7).await, Err(Failure::Declined));
    assert_eq!(does_not(7).await, refused("ResultIncompatible"));
    assert_eq!(STORE.count().await.expect("answers").failed, 1);
}

impl Failure {
    fn is_declined(&self) -> bool {
        *self == Self::Declined
    }
}

/// The effect has happened: it is recorded without its result, and not taken for one that was cut off.
#[tokio::test(start_paused = true)]
async fn a_result_that_panics_when_it_is_kept_is_not_run_again() {
    in_memory!(STORE);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    #[derive(Deserialize)]
    struct Explosive;
    impl Serialize for Explosive {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("no")
        }
    }
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn explodes(id: u64) -> Result<Explosive, Failure> {
        RUNS.fetch_add(1, Ordering::Relaxed);
        Ok(Explosive)
    }
    assert!(tokio::spawn(explodes(7)).await.is_err_and(|error| error.is_panic()));
    assert_eq!(explodes(7).await.map(|_| ()), refused("ResultUnavailable"));
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_number_comes_back_to_the_last_bit() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = bits, store = STORE)]
    async fn rate(bits: u64) -> Result<f64, Failure> {
        Ok(f64::from_bits(bits))
    }
    for step in 0..2_000_u64 {
        let number = 950.098_145_061_411_3 * f64::from_bits(1.0_f64.to_bits() + step * 7_919);
        let first = rate(number.to_bits()).await.expect("it runs");
        let again = rate(number.to_bits()).await.expect("it is replayed");
        assert_eq!(first.to_bits(), again.to_bits());
    }
}
