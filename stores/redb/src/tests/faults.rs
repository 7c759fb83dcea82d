use std::{error::Error, io};

use steadfast::idempotent::{StoreError, Written};

use super::{disk::Left, *};

#[tokio::test]
async fn goes_on_when_there_is_room_again() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let token = acquire(&store, 1, 1).await.token;
    disk.state().is_full = true;
    for _ in 0..3 {
        let error = store.claim(&key(2), &Claim::new(1)).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)));
        let source = error.source().and_then(|why| why.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::StorageFull), "{error:?}");
        assert!(store.complete(&key(1), token, true, result(1)).await.is_err());
    }
    disk.state().is_full = false;
    assert_eq!(store.complete(&key(1), token, true, result(1)).await.unwrap(), Written::Yes);
    let acquired = acquire(&store, 2, 1).await;
    assert!(acquired.token > token);
    assert_eq!(acquired.attempt, 1);
    store.check();
}

/// A sync that has failed loses what it was to keep, and the next one says nothing of it.
#[tokio::test]
async fn does_not_believe_the_sync_after_one_that_failed() {
    for (first, count) in (1..8).flat_map(|first| (1..5).map(move |count| (first, count))) {
        let disk = TestDisk::default();
        let store = open(&disk);
        let token = acquire(&store, 1, 1).await.token;
        {
            let state = &mut *disk.state();
            state.failing_syncs = state.syncs + first..state.syncs + first + count;
        }
        let mut tries = 0;
        while let Err(error) = store.complete(&key(1), token, true, result(1)).await {
            tries += 1;
            assert!(tries < 20, "{first}, {count}: {error:?}");
        }
        let mut claims = Vec::new();
        for number in 2..6 {
            // What is claimed again, by the same owner, may be the claim that has failed.
            let token = loop {
                match store.claim(&key(number), &Claim::new(1)).await {
                    Ok(Claimed::Acquired(acquired)) => break acquired.token,
                    Ok(other) => panic!("it is the owner's, and not {other:?}"),
                    Err(error) => assert!(tries < 20, "{first}, {count}: {error:?}"),
                }
                tries += 1;
            };
            claims.push((number, token));
            if chance_of(first, count, number) {
                break;
            }
        }
        disk.lose_power(Left::Nothing, &mut Chance::new(1));
        drop(store);

        let store = open(&disk);
        let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
        assert!(matches!(claimed, Claimed::Done(stored) if stored == result(1)));
        for (number, token) in claims {
            let found = store.look(&key(number)).await.unwrap();
            assert_eq!(found.map(|found| found.record.token), Some(token), "{first}, {count}");
        }
        store.check();
    }
}

/// When the power fails: some time after the sync.
fn chance_of(first: u64, count: u64, number: u64) -> bool {
    (first + count + number).is_multiple_of(3)
}

/// The kernel has what the disk has not: whoever opens the file next sees it, and may answer by it.
#[tokio::test]
async fn what_a_killed_process_left_to_the_kernel_is_synced_before_it_is_believed() {
    let mut believed = 0;
    for operations in 0..40 {
        let disk = TestDisk::default();
        let store = open(&disk);
        let token = acquire(&store, 1, 1).await.token;
        disk.state().operations_left = Some(operations);
        let _ = store.complete(&key(1), token, true, result(1)).await;
        disk.kill();
        drop(store);

        let store = open(&disk);
        let is_done = matches!(
            store.claim(&key(1), &Claim::new(2)).await.unwrap(),
            Claimed::Done(stored) if stored == result(1)
        );
        disk.lose_power(Left::Nothing, &mut Chance::new(1));
        drop(store);
        let store = open(&disk);
        let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
        assert_eq!(matches!(claimed, Claimed::Done(_)), is_done, "{operations}");
        believed += u32::from(is_done);
    }
    assert!(believed > 0 && believed < 40);
}

#[tokio::test]
async fn who_waits_is_woken_where_the_result_could_not_be_written() {
    let disk = TestDisk::default();
    let store = open(&disk);
    let token = acquire(&store, 1, 1).await.token;
    let claimed = store.claim(&key(1), &Claim::new(2)).await.unwrap();
    let Claimed::InProgress { changed: Some(changed), .. } = claimed else { panic!() };
    disk.state().is_full = true;
    assert!(store.complete(&key(1), token, true, result(1)).await.is_err());
    // It may have been, as far as anybody knows.
    changed.await;
}

#[test]
fn a_file_that_has_gone_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.redb");
    let opener = Opener::of_path(&path, Durability::Full, 1 << 20);
    drop(opener.open().unwrap());
    drop(opener.open().unwrap());
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(opener.open(), Err(OpenError::Io(_))));
    assert!(!path.exists());
}
