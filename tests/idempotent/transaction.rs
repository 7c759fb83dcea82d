//! A key in its caller's transaction. The database is a toy of one connection; the real one is tested in
//! `stores/postgres`.

use std::{
    collections::HashMap,
    future::Future,
    ops::{Deref, DerefMut},
    sync::{Arc, LazyLock},
    time::Duration,
};

use steadfast::idempotent::{
    Claim, Claimed, Key, Record, Reply, StoreError, Stored, TransactionStore, Written, current,
    marked,
};
use tokio::time::sleep;

use super::{Failure, SECOND, observed, refused};

/// All that a database holds.
#[derive(Clone, Default)]
struct Data {
    rows: Vec<String>,
    keys: HashMap<Vec<u8>, Record>,
    tokens: u64,
}

#[derive(Default)]
struct Connection {
    data: Data,
    /// As of before the transaction, and as of the mark.
    before: Option<Data>,
    mark: Option<Data>,
    is_down: bool,
}

/// A transaction: dropped without a commit, it was none.
struct Transaction<'c>(&'c mut Connection);

impl Connection {
    fn begin(&mut self) -> Transaction<'_> {
        self.before = Some(self.data.clone());
        Transaction(self)
    }
}

impl Transaction<'_> {
    fn commit(self) {
        self.0.before = None;
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.0.before.take() {
            self.0.data = before;
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.0
    }
}

#[derive(Debug)]
struct Table;

impl Connection {
    fn write(&mut self, key: &Key, write: impl FnOnce(&mut Record) -> Written) -> Written {
        self.data.keys.get_mut(&key.to_bytes()).map_or(Written::LeaseLost, write)
    }
}

impl TransactionStore for Table {
    type Connection = Connection;

    fn name(&self) -> &'static str {
        "table"
    }

    fn claim_in<'a>(
        &'a self,
        connection: &'a mut Connection,
        key: &'a Key,
        claim: &'a Claim,
        _: Duration,
    ) -> Reply<'a, Claimed> {
        if connection.is_down {
            return Reply::now(Err(StoreError::unavailable("connection reset")));
        }
        connection.data.tokens += 1;
        let (bytes, token) = (key.to_bytes(), connection.data.tokens);
        let claimed = if let Some(record) = connection.data.keys.get_mut(&bytes) {
            record.claim(claim, 0, token)
        } else {
            let (record, acquired) = Record::new(claim, 0, token);
            connection.data.keys.insert(bytes, record);
            Claimed::Acquired(acquired)
        };
        connection.mark = Some(connection.data.clone());
        Reply::now(Ok(claimed))
    }

    fn complete_in<'a>(
        &'a self,
        connection: &'a mut Connection,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        if connection.is_down {
            return Reply::now(Err(StoreError::unavailable("connection reset")));
        }
        if let (false, Some(mark)) = (succeeded, connection.mark.take()) {
            connection.data = mark;
        }
        let written = connection.write(key, |record| record.complete(token, succeeded, result, 0));
        Reply::now(Ok(written))
    }

    fn undo_in<'a>(
        &'a self,
        connection: &'a mut Connection,
        key: &'a Key,
        token: u64,
    ) -> Reply<'a, Written> {
        if let Some(mark) = connection.mark.take() {
            connection.data = mark;
        }
        Reply::now(Ok(connection.write(key, |record| record.release(token, 0))))
    }
}

static KEYS: LazyLock<Table> = LazyLock::new(|| Table);

/// Writes a row, and then does what it is told to.
#[steadfast::idempotent(key = order, fingerprint = amount, tx = tx, store = KEYS, cache_err = |e: &Failure| *e == Failure::Declined)]
async fn charge(
    tx: &mut Transaction<'_>,
    order: u32,
    amount: u64,
    fails: Option<Failure>,
) -> Result<String, Failure> {
    tx.data.rows.push(format!("{order}: {amount}"));
    sleep(SECOND).await;
    fails.map_or_else(|| Ok(format!("receipt {}", tx.data.rows.len())), Err)
}

#[tokio::test(start_paused = true)]
async fn the_effect_and_its_key_are_committed_together() {
    let mut db = Connection::default();
    let mut tx = db.begin();
    let (receipt, replayed) = marked(charge(&mut tx, 1, 10, None)).await;
    assert_eq!((receipt, replayed), (Ok("receipt 1".to_owned()), Some(false)));
    tx.commit();

    let mut tx = db.begin();
    let (receipt, replayed) = marked(charge(&mut tx, 1, 10, None)).await;
    assert_eq!((receipt, replayed), (Ok("receipt 1".to_owned()), Some(true)));
    assert_eq!(charge(&mut tx, 1, 11, None).await, refused("KeyMismatch"));
    assert_eq!(charge(&mut tx, 2, 10, None).await, Ok("receipt 2".to_owned()));
    tx.commit();
    assert_eq!(db.data.rows, ["1: 10", "2: 10"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_commit_nothing_has_happened() {
    let mut db = Connection::default();
    let mut tx = db.begin();
    assert_eq!(charge(&mut tx, 1, 10, None).await, Ok("receipt 1".to_owned()));
    drop(tx);
    let mut tx = db.begin();
    assert_eq!(marked(charge(&mut tx, 1, 10, None)).await.1, Some(false));
    tx.commit();
    assert_eq!(db.data.rows, ["1: 10"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_takes_back_what_was_written() {
    let mut db = Connection::default();
    let mut tx = db.begin();
    tx.data.rows.push("the caller's".to_owned());
    assert_eq!(charge(&mut tx, 1, 10, Some(Failure::NoReply)).await, Err(Failure::NoReply));
    tx.commit();
    assert_eq!(db.data.rows, ["the caller's"]);
    let mut tx = db.begin();
    assert_eq!(charge(&mut tx, 1, 10, None).await, Ok("receipt 2".to_owned()));
    tx.commit();
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_final_is_kept() {
    let mut db = Connection::default();
    for replayed in [false, true] {
        let mut tx = db.begin();
        let call = marked(charge(&mut tx, 1, 10, Some(Failure::Declined)));
        assert_eq!(call.await, (Err(Failure::Declined), Some(replayed)));
        tx.commit();
    }
    assert!(db.data.rows.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_halfway_is_not_repeated() {
    let mut db = Connection::default();
    let mut tx = db.begin();
    let left = tokio::time::timeout(SECOND / 2, charge(&mut tx, 1, 10, None)).await;
    left.expect_err("it takes longer");
    tx.commit();
    let mut tx = db.begin();
    assert_eq!(charge(&mut tx, 1, 10, None).await, refused("InProgress"));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_cannot_be_written_fails_the_call() {
    #[steadfast::idempotent(key = order, tx = tx, store = KEYS)]
    async fn losing(tx: &mut Transaction<'_>, order: u32) -> Result<u32, Failure> {
        tx.is_down = true;
        Ok(order)
    }
    let events = observed("losing");
    let mut db = Connection::default();
    let mut tx = db.begin();
    assert_eq!(losing(&mut tx, 1).await, refused("TransactionFailed"));
    assert_eq!(losing(&mut tx, 2).await, refused("TransactionFailed"));
    let events: Vec<_> = events.try_iter().collect();
    assert_eq!(events, ["failed complete", "failed claim", "refused transaction_failed"]);
}

#[tokio::test(start_paused = true)]
async fn the_body_knows_its_key() {
    struct Shop {
        keys: Arc<Table>,
    }

    impl Shop {
        #[steadfast::deadline("5s")]
        #[steadfast::idempotent(key = order, scope = "Shop::ship", tx = tx, store = self.keys, on_duplicate = "reject")]
        #[steadfast::circuit_breaker]
        async fn ship(&self, tx: &mut Connection, order: String) -> Result<String, Failure> {
            // As what takes anything that can be written to.
            push(tx, order);
            Ok(current().downstream_key().to_string())
        }
    }

    fn push(mut tx: impl DerefMut<Target = Connection>, row: String) {
        tx.data.rows.push(row);
    }

    let (mut db, shop) = (Connection::default(), Shop { keys: Arc::new(Table) });
    let mut tx = db.begin();
    let key = shop.ship(&mut tx, "17".to_owned()).await;
    assert_eq!(shop.ship(&mut tx, "17".to_owned()).await, key);
    assert_eq!(key.expect("it ships").len(), 36);
    assert_eq!(tx.data.rows, ["17"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_calls_itself_is_told() {
    #[steadfast::idempotent(key = order, tx = tx, store = KEYS)]
    async fn recursive(tx: &mut Transaction<'_>, order: u32) -> Result<u32, Failure> {
        Box::pin(recursive(tx, order)).await
    }
    let mut db = Connection::default();
    assert_eq!(recursive(&mut db.begin(), 1).await, refused("Reentrant"));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_above_has_the_transaction_too() {
    #[steadfast::fallback(later)]
    #[steadfast::idempotent(key = order, tx = tx, store = KEYS)]
    async fn now(tx: &mut Transaction<'_>, order: u32) -> Result<String, Failure> {
        tx.data.rows.push(format!("{order}: now"));
        Err(Failure::Busy)
    }
    async fn later(tx: &mut Transaction<'_>, order: u32) -> Result<String, Failure> {
        tx.data.rows.push(format!("{order}: later"));
        Ok("queued".to_owned())
    }
    let mut db = Connection::default();
    let mut tx = db.begin();
    assert_eq!(now(&mut tx, 1).await, Ok("queued".to_owned()));
    tx.commit();
    assert_eq!(db.data.rows, ["1: later"]);
}

#[tokio::test(start_paused = true)]
async fn in_every_form_of_a_function() {
    struct Shop;

    #[async_trait::async_trait]
    trait Ships {
        async fn ship(&mut self, tx: &mut Connection, order: u32) -> Result<u32, Failure>;
    }

    #[async_trait::async_trait]
    impl Ships for Shop {
        #[steadfast::idempotent(key = order, scope = "Ships::ship", tx = tx, store = KEYS)]
        async fn ship(&mut self, tx: &mut Connection, order: u32) -> Result<u32, Failure> {
            tx.data.rows.push("a trait's".to_owned());
            Ok(order)
        }
    }

    #[expect(clippy::manual_async_fn, reason = "it is this form that is tried")]
    #[steadfast::idempotent(key = order, tx = tx, store = KEYS)]
    fn future(
        tx: &mut Connection,
        order: u32,
    ) -> impl Future<Output = Result<u32, Failure>> + Send {
        async move {
            tx.data.rows.push("a future's".to_owned());
            Ok(order)
        }
    }

    let mut db = Connection::default();
    let mut tx = db.begin();
    for _ in 0..2 {
        assert_eq!(Shop.ship(&mut tx, 7).await, Ok(7));
        assert_eq!(future(&mut tx, 7).await, Ok(7));
    }
    assert_eq!(tx.data.rows, ["a trait's", "a future's"]);
}

/// What it comes to is `Send`, where the transaction is.
#[test]
fn is_send() {
    fn send(_: impl Send) {}
    let mut db = Connection::default();
    let mut tx = db.begin();
    send(charge(&mut tx, 1, 1, None));
}
