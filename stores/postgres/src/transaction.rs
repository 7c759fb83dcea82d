//! Keys in a transaction of the caller's own: what the body does, the claim and the result are committed
//! together, or not at all.

use std::{
    error, fmt,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use sqlx::{Executor, PgConnection, postgres::PgRow};
use steadfast::idempotent::{
    Claim, Claimed, Key, KeyStore, Reply, StoreError, Stored, TransactionStore, Written,
};
use tokio::time::timeout;

use crate::{
    failure::{Failure, code},
    literals::{claim_literals, complete_literals, of},
    rows,
    statement::{Literal, Statement},
    store::PostgresStore,
};

impl TransactionStore for PostgresStore {
    type Connection = PgConnection;

    fn name(&self) -> &'static str {
        KeyStore::name(self)
    }

    /// In one round trip; where the key is not acquired, in two. Afterwards, the caller's `lock_timeout` is
    /// what it was. If the transaction that was waited for is rolled back, and a third is faster, it waits
    /// for that one as long.
    fn claim_in<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        key: &'a Key,
        claim: &'a Claim,
        wait: Duration,
    ) -> Reply<'a, Claimed> {
        Reply::later(async move {
            let (bytes, owner) = (key.to_bytes(), claim.owner.to_be_bytes());
            let [key, owner, print, lease, ttl, most] = claim_literals(&bytes, &owner, claim);
            let literals = [key, owner, print, lease, ttl, most, Literal::Span(wait)];
            let statement = Statement::new()
                .call(rows::CLAIMED, self.schema(), "claim_within", &literals)
                .savepoint("; SAVEPOINT ", &bytes);
            let claimed = rows::claimed(&self.send_in(connection, &statement, wait).await?)?;
            if !matches!(claimed, Claimed::Acquired(_)) {
                let release = Statement::new().savepoint(RELEASE, &bytes);
                self.send_in(connection, &release, Duration::ZERO).await?;
            }
            self.sweep_if_due();
            Ok(claimed)
        })
    }

    /// In one round trip.
    fn complete_in<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            let literals = complete_literals(&key, token, succeeded, &result);
            let statement = if succeeded {
                Statement::new()
                    .call("*", self.schema(), "complete", &literals)
                    .text("; ")
                    .savepoint(RELEASE, &key)
            } else {
                Statement::undo(&key).call("*", self.schema(), "complete", &literals)
            };
            rows::written(&self.send_in(connection, &statement, Duration::ZERO).await?)
        })
    }

    /// In one round trip.
    fn undo_in<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        key: &'a Key,
        token: u64,
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let key = key.to_bytes();
            let literals = [Literal::Bytes(&key), of(token)];
            let statement = Statement::undo(&key).call("*", self.schema(), "release", &literals);
            rows::written(&self.send_in(connection, &statement, Duration::ZERO).await?)
        })
    }
}

impl Statement {
    fn undo(key: &[u8]) -> Self {
        Self::new()
            .savepoint("ROLLBACK TO SAVEPOINT ", key)
            .text("; ")
            .savepoint(RELEASE, key)
            .text("; ")
    }

    /// It is named after the key, whose token is not known yet when it is set.
    fn savepoint(self, verb: &'static str, key: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        self.text(verb).text("steadfast_").number(hasher.finish())
    }
}

impl PostgresStore {
    /// As long as an operation may take, and longer where the server is to wait. What runs on the connection
    /// still is waited for.
    async fn send_in(
        &self,
        connection: &mut PgConnection,
        statement: &Statement,
        wait: Duration,
    ) -> Result<Vec<PgRow>, StoreError> {
        let asked = connection.fetch_all(sqlx::raw_sql(statement.to_sql()));
        match timeout(self.timeout().saturating_add(wait), asked).await {
            Ok(Err(error)) if code(&error) == Some(NO_TRANSACTION) => {
                Err(StoreError::unavailable(NotInTransaction(())))
            }
            Ok(answer) => Ok(answer.map_err(Failure::Server)?),
            Err(_) => Err(Failure::TimedOut.into()),
        }
    }
}

/// A key was to be claimed in the caller's transaction, and there is none: begin one first.
///
/// # Example: how it is told from other errors
///
/// ```
/// use steadfast::idempotent::StoreError;
/// use steadfast_postgres::NotInTransaction;
///
/// fn is_mistake(error: &StoreError) -> bool {
///     matches!(error, StoreError::Unavailable(why) if why.is::<NotInTransaction>())
/// }
/// # assert!(!is_mistake(&StoreError::Full));
/// ```
#[derive(Clone, Debug)]
pub struct NotInTransaction(());

impl fmt::Display for NotInTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is in no transaction: begin one, and pass `&mut tx`")
    }
}

impl error::Error for NotInTransaction {}

const RELEASE: &str = "RELEASE SAVEPOINT ";
const NO_TRANSACTION: &str = "25P01";
