use std::io;

use steadfast::idempotent;
use steadfast::idempotent::{Claim, Claimed, Key, Reply, Stored, TransactionStore, Written};

struct Transaction(Vec<u64>);

struct Connection;

struct Table;

impl TransactionStore for Table {
    type Connection = Connection;

    fn name(&self) -> &'static str {
        "table"
    }

    fn claim_in<'a>(
        &'a self,
        _: &'a mut Connection,
        _: &'a Key,
        _: &'a Claim,
        _: std::time::Duration,
    ) -> Reply<'a, Claimed> {
        Reply::now(Ok(Claimed::Mismatch))
    }

    fn complete_in<'a>(
        &'a self,
        _: &'a mut Connection,
        _: &'a Key,
        _: u64,
        _: bool,
        _: Stored,
    ) -> Reply<'a, Written> {
        Reply::now(Ok(Written::Yes))
    }

    fn undo_in<'a>(&'a self, _: &'a mut Connection, _: &'a Key, _: u64) -> Reply<'a, Written> {
        Reply::now(Ok(Written::Yes))
    }
}

static KEYS: Table = Table;

#[idempotent(key = order, tx = tx, store = KEYS)]
async fn charge(tx: &mut Transaction, order: u64) -> io::Result<u64> {
    tx.0.push(order);
    Ok(order)
}

fn main() {
    drop(charge(&mut Transaction(Vec::new()), 1));
}
