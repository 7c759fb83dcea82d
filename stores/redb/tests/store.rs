//! What a caller sees of the store.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use steadfast::idempotent::{
    Acquired, Claim, Claimed, Key, KeyStore, Resolution, State, Store, StoreError, Stored, Written,
};
use steadfast::testing::{PausedClock, store_contract};
use steadfast_redb::{Durability, OpenError, Options, RedbStore};
use tempfile::TempDir;
use tokio::time::advance;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("keys.redb")
    }

    fn open(&self) -> RedbStore {
        RedbStore::open(self.path()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn keeps_the_laws_of_all_stores() {
    let folder = Folder::new();
    store_contract(&Store::new(folder.open()), &PausedClock).await;
}

fn key(number: u32) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

async fn acquire(store: &RedbStore, key: &Key, claim: &Claim) -> Acquired {
    match store.claim(key, claim).await.unwrap() {
        Claimed::Acquired(acquired) => acquired,
        other => panic!("{other:?}"),
    }
}

fn stored(json: &[u8]) -> Stored {
    Stored::Json(json.into())
}

#[tokio::test]
async fn a_result_outlives_the_store() {
    let folder = Folder::new();
    let store = folder.open();
    let acquired = acquire(&store, &key(1), &Claim::new(1)).await;
    let written = store.complete(&key(1), acquired.token, true, stored(b"17")).await.unwrap();
    assert_eq!(written, Written::Yes);
    drop(store);

    let store = folder.open();
    let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(result) if result == stored(b"17")));
    let count = store.count().await.unwrap();
    assert_eq!((count.done, count.all()), (1, 1));
}

#[tokio::test]
async fn nothing_happens_before_the_first_poll() {
    let folder = Folder::new();
    let store = folder.open();
    drop(store.claim(&key(1), &Claim::new(1)));
    assert_eq!(acquire(&store, &key(1), &Claim::new(2)).await.attempt, 1);
}

#[tokio::test]
async fn a_dropped_claim_leaves_the_store_right() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..100 {
        let (key, claim) = (key(number), Claim::new(1));
        let mut dropped = store.claim(&key, &claim);
        tokio::select! {
            biased;
            _ = &mut dropped => {}
            () = std::future::ready(()) => {}
        }
        drop(dropped);
        // It has happened or it has not: the same owner gets the key in both cases.
        assert_eq!(acquire(&store, &key, &claim).await.attempt, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_woken() {
    let folder = Folder::new();
    let store = folder.open();
    let acquired = acquire(&store, &key(1), &Claim::new(1)).await;
    let Claimed::InProgress { remaining, changed: Some(changed) } =
        store.claim(&key(1), &Claim::new(2)).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(remaining, Duration::from_secs(30));
    let written = store.complete(&key(1), acquired.token, true, stored(b"17")).await.unwrap();
    assert_eq!(written, Written::Yes);
    changed.await;
    assert!(matches!(store.claim(&key(1), &Claim::new(2)).await.unwrap(), Claimed::Done(_)));
}

#[tokio::test]
async fn each_end_of_a_run_wakes() {
    let folder = Folder::new();
    let store = folder.open();
    for end in 0..4 {
        let acquired = acquire(&store, &key(end), &Claim::new(1).lease(Duration::ZERO)).await;
        let claim = Claim::new(1).lease(Duration::from_secs(30));
        let written = store.renew(&key(end), acquired.token, claim.lease).await.unwrap();
        assert_eq!(written, Written::Yes);
        let claimed = store.claim(&key(end), &Claim::new(2)).await.unwrap();
        let Claimed::InProgress { changed: Some(changed), .. } = claimed else { panic!() };
        match end {
            0 => drop(store.complete(&key(end), acquired.token, false, stored(b"")).await),
            1 => drop(store.release(&key(end), acquired.token).await),
            2 => drop(store.interrupt(&key(end), acquired.token, true).await),
            _ => {
                drop(store.renew(&key(end), acquired.token, Duration::ZERO).await);
                assert!(store.resolve(&key(end), &Resolution::DidNotHappen).await.unwrap());
            }
        }
        changed.await;
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_rise_across_expiry_purge_and_restart() {
    let folder = Folder::new();
    let mut store = folder.open();
    let mut last = 0;
    let claim = Claim::new(1).lease(Duration::from_secs(1)).ttl(Duration::from_secs(2));
    for round in 0..6 {
        let acquired = acquire(&store, &key(1), &claim).await;
        assert!(acquired.token > last, "{} after {last}", acquired.token);
        assert_eq!(acquired.attempt, 1);
        last = acquired.token;
        advance(Duration::from_secs(3)).await;
        if round % 2 == 0 {
            assert_eq!(store.purge().await.unwrap(), 1);
            assert_eq!(store.look(&key(1)).await.unwrap(), None);
        }
        if round % 3 == 0 {
            // The new one begins at the wall's time, and never behind what the file has seen.
            drop(store);
            store = folder.open();
            advance(Duration::from_secs(3)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn time_does_not_go_back_when_it_is_opened_again() {
    let folder = Folder::new();
    let store = folder.open();
    advance(Duration::from_secs(3_600)).await;
    acquire(&store, &key(1), &Claim::new(1)).await;
    let before = store.look(&key(1)).await.unwrap().unwrap().now;
    drop(store);
    let store = folder.open();
    assert!(store.look(&key(1)).await.unwrap().unwrap().now >= before);
}

#[tokio::test(start_paused = true)]
async fn never_forgets_who_runs_still() {
    let folder = Folder::new();
    let store = folder.open();
    let claim = Claim::new(1).ttl(Duration::from_secs(1)).lease(Duration::from_secs(30));
    let acquired = acquire(&store, &key(1), &claim).await;
    advance(Duration::from_secs(20)).await;
    assert_eq!(store.purge().await.unwrap(), 0);
    let lease = Duration::from_secs(30);
    assert_eq!(store.renew(&key(1), acquired.token, lease).await.unwrap(), Written::Yes);
    advance(Duration::from_secs(20)).await;
    for number in 2..20 {
        acquire(&store, &key(number), &Claim::new(1)).await;
    }
    assert_eq!(store.purge().await.unwrap(), 0);
    let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::InProgress { .. }));
    // What came of it is kept for as long again.
    advance(Duration::from_secs(11)).await;
    assert_eq!(store.purge().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_takes_expired_ones_along() {
    let folder = Folder::new();
    let store = folder.open();
    let short = Claim::new(1).ttl(Duration::from_secs(1)).lease(Duration::from_secs(1));
    for number in 0..10 {
        acquire(&store, &key(number), &short).await;
    }
    advance(Duration::from_secs(2)).await;
    for number in 10..15 {
        acquire(&store, &key(number), &Claim::new(1)).await;
    }
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_eq!(store.count().await.unwrap().all(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_and_forgets_only_what_has_expired() {
    let folder = Folder::new();
    let store = Options::new().max_keys(3).open(folder.path()).unwrap();
    let short = Claim::new(1).ttl(Duration::from_secs(1)).lease(Duration::from_secs(1));
    acquire(&store, &key(1), &short).await;
    for number in 2..4 {
        let acquired = acquire(&store, &key(number), &Claim::new(1)).await;
        drop(store.complete(&key(number), acquired.token, true, stored(b"1")).await);
    }
    for _ in 0..2 {
        let full = store.claim(&key(4), &Claim::new(1)).await;
        assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    }
    advance(Duration::from_secs(2)).await;
    acquire(&store, &key(4), &Claim::new(1)).await;
    assert!(matches!(store.claim(&key(2), &Claim::new(2)).await.unwrap(), Claimed::Done(_)));
    assert!(matches!(store.claim(&key(5), &Claim::new(1)).await, Err(StoreError::Full)));
}

#[tokio::test(start_paused = true)]
async fn interrupted_keys_come_in_pages() {
    let folder = Folder::new();
    let store = folder.open();
    for number in 0..30 {
        let acquired = acquire(&store, &key(number), &Claim::new(1)).await;
        let token = acquired.token;
        match number % 3 {
            0 => drop(store.interrupt(&key(number), token, true).await),
            1 => drop(store.complete(&key(number), token, true, stored(b"1")).await),
            _ => {}
        }
    }
    let mut after = None;
    let mut found = Vec::new();
    loop {
        let page = store.interrupted(after.as_ref(), 4).await.unwrap();
        assert!(page.len() <= 4);
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        found.extend(page);
    }
    assert_eq!(found.len(), 10);
    assert!(found.is_sorted_by_key(|found| found.key.to_bytes()));
    assert!(found.iter().all(|found| found.record.state == State::Interrupted));

    advance(Duration::from_secs(31)).await;
    assert_eq!(store.interrupted(None, 100).await.unwrap().len(), 20);
    assert_eq!(store.count().await.unwrap().interrupted, 20);
    for found in store.interrupted(None, 100).await.unwrap() {
        assert!(store.resolve(&found.key, &Resolution::Done(stored(b"2"))).await.unwrap());
    }
    assert!(store.interrupted(None, 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn one_of_many_gets_the_key() {
    let folder = Folder::new();
    let store = folder.open();
    let claims = (0..64).map(|owner| {
        let store = store.clone();
        tokio::spawn(async move { store.claim(&key(1), &Claim::new(owner)).await.unwrap() })
    });
    let mut acquired = 0;
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            Claimed::Acquired(_) => acquired += 1,
            Claimed::InProgress { changed: Some(_), .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(acquired, 1);
}

#[tokio::test]
async fn what_was_asked_for_is_done_before_it_is_closed() {
    let folder = Folder::new();
    let store = folder.open();
    let acquired = acquire(&store, &key(1), &Claim::new(1)).await;
    let key = key(1);
    let mut completed = store.complete(&key, acquired.token, true, stored(b"1"));
    tokio::select! {
        biased;
        _ = &mut completed => {}
        () = std::future::ready(()) => {}
    }
    drop(completed);
    drop(store);
    let store = folder.open();
    assert!(matches!(store.claim(&key, &Claim::new(2)).await.unwrap(), Claimed::Done(_)));
}

#[tokio::test]
async fn an_annotated_function_runs_once() {
    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[steadfast::idempotent(key = order, store = store)]
    async fn charge(store: &Store, order: u64) -> Result<u32, steadfast::Error> {
        tokio::task::yield_now().await;
        Ok(RUNS.fetch_add(1, Ordering::Relaxed))
    }

    let folder = Folder::new();
    let store = Store::new(folder.open());
    let charges = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { charge(&store, 17).await.unwrap() })
    });
    for charge in charges.collect::<Vec<_>>() {
        assert_eq!(charge.await.unwrap(), 0);
    }
    drop(store);
    let store = Store::new(folder.open());
    assert_eq!(charge(&store, 17).await.unwrap(), 0);
    assert_eq!(charge(&store, 18).await.unwrap(), 1);
}

#[tokio::test]
async fn the_other_durability_outlives_the_store_too() {
    let folder = Folder::new();
    for attempt in 1..=2 {
        let store = Options::new().durability(Durability::Process).open(folder.path()).unwrap();
        let claim = Claim::new(attempt.into());
        let acquired = acquire(&store, &key(1), &claim).await;
        assert_eq!(acquired.attempt, attempt);
        drop(store.release(&key(1), acquired.token).await);
    }
    assert_eq!(acquire(&folder.open(), &key(1), &Claim::new(1)).await.attempt, 3);
}

#[test]
fn says_why_it_cannot_be_opened() {
    let folder = Folder::new();
    let store = folder.open();
    assert!(matches!(RedbStore::open(folder.path()), Err(OpenError::Locked)));
    drop(store);
    // Nothing is left of how it was made.
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 1);
    assert!(matches!(RedbStore::open(folder.0.path()), Err(OpenError::Io(_))));
    std::fs::write(folder.path(), b"a letter to my aunt").unwrap();
    let error = RedbStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}");
}

#[test]
fn a_folder_that_is_none() {
    let error = RedbStore::open("/dev/null/keys.redb").unwrap_err();
    assert!(matches!(error, OpenError::Io(_)), "{error:?}");
}
