//! What tells one call from another, and what the body can know of it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde::Serialize;
use steadfast::idempotent::{DownstreamKey, Key, current, try_current};

use super::{Failure, in_memory, refused};

#[tokio::test(start_paused = true)]
async fn is_evaluated_once_and_before_everything_else() {
    in_memory!(STORE);
    static EVALUATED: AtomicU32 = AtomicU32::new(0);
    fn of(id: u64) -> u64 {
        EVALUATED.fetch_add(1, Ordering::Relaxed);
        id
    }
    #[steadfast::deadline("10s")]
    #[steadfast::idempotent(key = of(id), store = STORE)]
    #[steadfast::retry(max = 3)]
    async fn charge(id: u64, keys: &mut Vec<DownstreamKey>) -> Result<u64, Failure> {
        keys.push(current().downstream_key());
        if keys.len() < 3 { Err(Failure::Busy) } else { Ok(id) }
    }
    let mut keys = Vec::new();
    assert_eq!(charge(7, &mut keys).await, Ok(7));
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 1);
    assert!(keys.iter().all(|key| *key == keys[0]), "one key for all attempts: {keys:?}");
}

#[tokio::test(start_paused = true)]
async fn the_key_for_the_next_api_is_the_same_in_each_run_and_for_nobody_else() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "one")]
    async fn one(id: u64, keys: &mut Vec<String>) -> Result<(), Failure> {
        keys.push(current().downstream_key().to_string());
        keys.push(current().downstream_key_for("refund").to_string());
        if current().attempt() == 1 { Err(Failure::Busy) } else { Ok(()) }
    }
    #[steadfast::idempotent(key = id, store = STORE, scope = "two")]
    async fn two(id: u64, keys: &mut Vec<String>) -> Result<(), Failure> {
        keys.push(current().downstream_key().to_string());
        Ok(())
    }
    let mut keys = Vec::new();
    assert_eq!(one(7, &mut keys).await, Err(Failure::Busy));
    assert_eq!(one(7, &mut keys).await, Ok(()));
    assert_eq!(keys[..2], keys[2..], "the same in both runs");
    let _ = one(8, &mut keys).await;
    two(7, &mut keys).await.expect("it runs");
    for (at, key) in keys[2..].iter().enumerate() {
        assert!(!keys[2..2 + at].contains(key), "{keys:?}");
    }
    // As it was in the first release: it must be the same when half of a fleet is upgraded.
    assert_eq!(keys[0], "9bb512ff-73a2-88ec-9bdb-cd2e621f7c33");
}

#[tokio::test(start_paused = true)]
async fn none_is_an_error_and_a_value_is_a_value() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = header, store = STORE)]
    async fn by_header(header: Option<&str>) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    #[steadfast::idempotent(key(user, header), store = STORE)]
    async fn by_both(user: u64, header: Option<u64>) -> Result<u32, Failure> {
        Ok(current().attempt())
    }
    assert_eq!(by_header(None).await, refused("MissingKey"));
    assert_eq!(by_both(7, None).await, refused("MissingKey"));
    // What other languages take for nothing is a key.
    assert_eq!(by_header(Some("")).await, Ok(1));
    assert_eq!(by_both(0, Some(0)).await, Ok(1));
    assert_eq!(STORE.count().await.expect("answers").done, 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_serialised_is_an_error() {
    in_memory!(STORE);
    struct Odd;
    impl Serialize for Odd {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("odd"))
        }
    }
    #[steadfast::idempotent(key = id, fingerprint = print, store = STORE)]
    async fn charge(id: impl Serialize, print: impl Serialize) -> Result<u32, Failure> {
        Ok(1)
    }
    assert_eq!(charge(Odd, 1).await, refused("InvalidKey"));
    assert_eq!(charge(1, Odd).await, refused("InvalidKey"));
    assert_eq!(charge(1, 1).await, Ok(1));
}

/// Neither functions nor tenants meet, unless a scope says so.
#[tokio::test(start_paused = true)]
async fn functions_and_tenants_do_not_meet() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn charge(id: u64) -> Result<String, Failure> {
        Ok(format!("charged {id}"))
    }
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn ship(id: u64) -> Result<String, Failure> {
        Ok(format!("shipped {id}"))
    }
    assert_eq!(charge(7).await, Ok("charged 7".to_owned()));
    assert_eq!(ship(7).await, Ok("shipped 7".to_owned()));

    #[steadfast::idempotent(key = id, tenant = tenant, store = STORE)]
    async fn of(tenant: &str, id: u64) -> Result<String, Failure> {
        Ok(format!("{id} of {tenant}"))
    }
    assert_eq!(of("a", 7).await, Ok("7 of a".to_owned()));
    assert_eq!(of("b", 7).await, Ok("7 of b".to_owned()));

    #[steadfast::idempotent(key = id, scope = "pay", store = STORE)]
    async fn old_name(id: u64) -> Result<String, Failure> {
        Ok(format!("by the old name {id}"))
    }
    #[steadfast::idempotent(key = id, scope = "pay", store = STORE)]
    async fn new_name(id: u64) -> Result<String, Failure> {
        Ok(format!("by the new name {id}"))
    }
    assert_eq!(old_name(7).await, Ok("by the old name 7".to_owned()));
    assert_eq!(new_name(7).await, Ok("by the old name 7".to_owned()));
}

/// It would wait for itself.
#[tokio::test(start_paused = true)]
async fn a_body_that_calls_itself_with_its_key_is_told_so() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn recursive(id: u64, depth: u64) -> Result<u64, Failure> {
        match depth {
            0 => Ok(id),
            depth => Box::pin(between(id + 1, id, depth - 1)).await,
        }
    }
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn between(id: u64, next: u64, depth: u64) -> Result<u64, Failure> {
        recursive(next, depth).await
    }
    assert_eq!(recursive(7, 1).await, refused("Reentrant"));
    assert_eq!(recursive(1, 0).await, Ok(1));
    // The key of another call is no harm.
    #[steadfast::idempotent(key = id, store = STORE)]
    async fn outer(id: u64) -> Result<u64, Failure> {
        recursive(id, 0).await
    }
    assert_eq!(outer(20).await, Ok(20));
}

#[tokio::test(start_paused = true)]
async fn the_body_knows_its_run_and_nobody_else_does() {
    in_memory!(STORE);
    #[steadfast::idempotent(key = id, store = STORE, scope = "knows")]
    async fn charge(id: u64) -> Result<u64, Failure> {
        let before = current();
        let spawned = tokio::spawn(async { try_current().is_none() }).await;
        assert!(spawned.expect("no panic"), "a task of its own is outside");
        let (a, b) = tokio::join!(async { current().fence() }, async { current().fence() });
        assert_eq!((a, b), (before.fence(), before.fence()));
        assert_eq!(*before.key(), Key::new("knows", &id).expect("a number"));
        Ok(before.fence())
    }
    assert!(try_current().is_none());
    let fence = charge(7).await.expect("it runs");
    assert!(fence > 0);
    assert!(try_current().is_none());
}

/// Two functions of one name in one module: of two types, or within two others.
#[tokio::test(start_paused = true)]
async fn the_functions_of_two_types_do_not_meet() {
    in_memory!(STORE);
    struct Cards;
    struct Coupons;
    struct Points;
    impl Cards {
        #[steadfast::idempotent(key = id, store = STORE)]
        async fn redeem(id: u64) -> Result<String, Failure> {
            Ok(format!("card {id}"))
        }
    }
    impl Coupons {
        #[steadfast::idempotent(key = id, store = STORE)]
        async fn redeem(id: u64) -> Result<String, Failure> {
            Ok(format!("coupon {id}"))
        }
    }
    impl Points {
        #[steadfast::idempotent(key = id, store = STORE, scope = "Points::redeem")]
        async fn redeem(&self, id: u64) -> Result<String, Failure> {
            Ok(format!("points {id}"))
        }
    }
    for _ in 0..2 {
        assert_eq!(Cards::redeem(7).await, Ok("card 7".to_owned()));
        assert_eq!(Coupons::redeem(7).await, refused("ScopeTaken"));
        assert_eq!(Points.redeem(7).await, Ok("points 7".to_owned()));
    }
}
