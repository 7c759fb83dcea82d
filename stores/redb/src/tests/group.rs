use std::{future::poll_fn, task::Poll};

use steadfast::idempotent::Reply;

use super::*;

/// Polls it once.
async fn begin<T: Unpin>(reply: &mut Reply<'_, T>) -> bool {
    poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *reply).poll(cx).is_ready())).await
}

#[tokio::test]
async fn many_claims_are_one_sync() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let held = disk.hold_syncs();
    let keys: Vec<_> = (0..65).map(key).collect();
    let claims: Vec<_> = (0..65).map(Claim::new).collect();
    let mut replies: Vec<_> =
        keys.iter().zip(&claims).map(|(key, claim)| store.claim(key, claim)).collect();
    assert!(!begin(&mut replies[0]).await);
    disk.wait_for_sync();
    let before = disk.state().syncs;
    for reply in &mut replies[1..] {
        assert!(!begin(reply).await);
    }
    drop(held);
    for reply in replies {
        assert!(matches!(reply.await.unwrap(), Claimed::Acquired(_)));
    }
    // Two for each transaction, that of the first and that of all others; and one as the file grows.
    let syncs = disk.state().syncs - before;
    assert!(syncs <= 5, "{syncs}");
}

#[tokio::test]
async fn nothing_is_said_before_it_is_on_the_disk() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let token = acquire(&store, 1, 1).await.token;
    let held = disk.hold_syncs();
    let (key, other, claim) = (key(1), key(2), Claim::new(2));
    let mut completed = store.complete(&key, token, true, result(1));
    let mut claimed = store.claim(&other, &claim);
    let mut duplicate = store.claim(&key, &claim);
    assert!(!begin(&mut completed).await);
    disk.wait_for_sync();
    assert!(!begin(&mut claimed).await);
    assert!(!begin(&mut duplicate).await);
    tokio::task::yield_now().await;
    assert!(!begin(&mut completed).await && !begin(&mut claimed).await);
    drop(held);
    let _ = completed.await.unwrap();
    assert!(matches!(claimed.await.unwrap(), Claimed::Acquired(_)));
}

#[tokio::test]
async fn what_only_reads_is_not_synced() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let token = acquire(&store, 1, 1).await.token;
    let _ = store.complete(&key(1), token, true, result(1)).await.unwrap();
    acquire(&store, 2, 1).await;
    let before = disk.state().syncs;
    for owner in 2..20 {
        let claim = Claim::new(owner);
        assert!(matches!(store.claim(&key(1), &claim).await.unwrap(), Claimed::Done(_)));
        let claimed = store.claim(&key(2), &claim).await.unwrap();
        assert!(matches!(claimed, Claimed::InProgress { .. }));
        let _ = store.complete(&key(1), token, true, result(1)).await.unwrap();
        store.look(&key(1)).await.unwrap();
    }
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_eq!(disk.state().syncs, before);
}

/// A replay, and what it stands for is asked while the disk does not answer.
#[tokio::test]
async fn a_replay_does_not_wait_for_the_writes_of_others() {
    let disk = TestDisk::default();
    let store = open(&disk);
    for (number, succeeded) in [(1, true), (2, false)] {
        let token = acquire(&store, number, 1).await.token;
        let _ = store.complete(&key(number), token, succeeded, result(1)).await.unwrap();
    }
    let held = disk.hold_syncs();
    let (other, claim) = (key(3), Claim::new(1));
    let mut claimed = store.claim(&other, &claim);
    assert!(!begin(&mut claimed).await);
    disk.wait_for_sync();
    assert!(matches!(store.claim(&key(1), &Claim::new(2)).await.unwrap(), Claimed::Done(_)));
    assert!(matches!(store.claim(&key(2), &Claim::new(2)).await.unwrap(), Claimed::Failed(_)));
    assert!(store.look(&key(1)).await.unwrap().is_some());
    assert!(store.look(&key(3)).await.unwrap().is_none());
    drop(held);
    assert!(matches!(claimed.await.unwrap(), Claimed::Acquired(_)));
}

/// Nobody would run it, and the key would have to wait for the end of the lease.
#[tokio::test]
async fn a_claim_that_nobody_waits_for_is_not_made() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let token = acquire(&store, 1, 1).await.token;
    let held = disk.hold_syncs();
    let keys = [key(1), key(2)];
    let claim = Claim::new(1);
    let mut completed = store.complete(&keys[0], token, true, result(1));
    assert!(!begin(&mut completed).await);
    disk.wait_for_sync();
    let mut claimed = store.claim(&keys[1], &claim);
    assert!(!begin(&mut claimed).await);
    drop(claimed);
    // A result is kept all the same.
    drop(completed);
    drop(held);
    let acquired = acquire(&store, 2, 2).await;
    assert_eq!((acquired.attempt, acquired.interruptions), (1, 0));
    assert!(matches!(store.claim(&keys[0], &claim).await.unwrap(), Claimed::Done(_)));
}
