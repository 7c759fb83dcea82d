//! Whatever the transactions of a database are by default.

use steadfast::idempotent::{Claim, Claimed, KeyStore};

use crate::database::{Database, key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_gets_the_key_in_stricter_transactions_too() {
    for level in ["repeatable read", "serializable"] {
        let database = Database::new();
        database.set(&format!("default_transaction_isolation = '{level}'"));
        let store = database.store().await;
        let claims = (0..32_u32 * 20).map(|at| {
            let store = store.clone();
            tokio::spawn(async move {
                store.claim(&key(at % 20), &Claim::new(at.into())).await.unwrap()
            })
        });
        let mut acquired = 0;
        for claim in claims.collect::<Vec<_>>() {
            match claim.await.unwrap() {
                Claimed::Acquired(_) => acquired += 1,
                Claimed::InProgress { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(acquired, 20, "{level}");
    }
}
