use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use super::{
    key::Key,
    record::Stored,
    store::{Claim, Claimed, Reply, Written},
};

/// A store that can keep a key in a transaction of its user's: the key and the effect are committed
/// together, or not at all.
///
/// What `#[idempotent(tx = .., store = ..)]` needs; `steadfast_postgres::PostgresStore` is one. An
/// [`Arc`], a [`LazyLock`] and a reference to one are one too.
///
/// The laws: [`claim_in`](Self::claim_in) decides in the order of [`Record::claim`](super::Record::claim),
/// and waits while another transaction that has not ended holds the key; a claim that is acquired marks the
/// place to which the other two take the transaction back.
#[diagnostic::on_unimplemented(
    message = "`tx` needs a store that writes in the transaction, and `{Self}` does not",
    label = "not a `TransactionStore`",
    note = "`steadfast_postgres::PostgresStore` is one: `store = keys`, with an argument `keys: &PostgresStore`"
)]
pub trait TransactionStore: Send + Sync {
    /// What the caller's transaction runs on.
    type Connection: ?Sized + Send;

    /// What it is called in errors and events, such as `postgres`.
    fn name(&self) -> &'static str;

    /// Claims a key in a transaction, and marks the place. Waits for so long, at most, while another
    /// transaction holds it, and says then that it is in progress.
    fn claim_in<'a>(
        &'a self,
        connection: &'a mut Self::Connection,
        key: &'a Key,
        claim: &'a Claim,
        wait: Duration,
    ) -> Reply<'a, Claimed>;

    /// Keeps the result. That of a call that has failed for good is kept instead of all that was written
    /// since the claim.
    fn complete_in<'a>(
        &'a self,
        connection: &'a mut Self::Connection,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written>;

    /// Takes back all that was written since the claim, and lets the key go; also where a statement has
    /// failed since, and the transaction takes no other.
    fn undo_in<'a>(
        &'a self,
        connection: &'a mut Self::Connection,
        key: &'a Key,
        token: u64,
    ) -> Reply<'a, Written>;
}

/// What stands for a store is one.
macro_rules! hand_on {
    ($([$($generics:tt)*] $holder:ty,)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> TransactionStore for $holder {
            type Connection = S::Connection;

            fn name(&self) -> &'static str {
                (**self).name()
            }

            fn claim_in<'a>(
                &'a self,
                connection: &'a mut Self::Connection,
                key: &'a Key,
                claim: &'a Claim,
                wait: Duration,
            ) -> Reply<'a, Claimed> {
                (**self).claim_in(connection, key, claim, wait)
            }

            fn complete_in<'a>(
                &'a self,
                connection: &'a mut Self::Connection,
                key: &'a Key,
                token: u64,
                succeeded: bool,
                result: Stored,
            ) -> Reply<'a, Written> {
                (**self).complete_in(connection, key, token, succeeded, result)
            }

            fn undo_in<'a>(
                &'a self,
                connection: &'a mut Self::Connection,
                key: &'a Key,
                token: u64,
            ) -> Reply<'a, Written> {
                (**self).undo_in(connection, key, token)
            }
        }
    )*};
}

hand_on! {
    [S: TransactionStore + ?Sized] &S,
    [S: TransactionStore + ?Sized] Arc<S>,
    [S: TransactionStore, F: FnOnce() -> S + Send] LazyLock<S, F>,
}
