use std::{fmt, sync::Arc, time::Duration};

use redis::{Cmd, RedisResult};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, StoreError, Stored, Written,
};

use crate::{
    answer::{self, Answered, found, micros, written, yes},
    connection::Connection,
    durability::Durability,
    error::{ConnectError, is_out_of_memory, of_operation},
    list,
    options::Options,
    record::{DONE, FAILED, RELEASED, result_bytes},
    script::{CLAIM, COMPLETE, INTERRUPT, LOOK, RECLAIM, RELEASE, RENEW, RESOLVE, Script},
};

/// Keeps keys in Redis or Valkey, for all processes that connect to it.
///
/// A handle is cheap to clone; all of them share a connection, which is replaced when it fails. Each
/// operation is one script, in one round trip.
///
/// Operations have to be polled within a tokio runtime.
///
/// # Example: for the whole process
///
/// ```no_run
/// use steadfast::idempotent::Store;
/// use steadfast_redis::RedisStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = RedisStore::connect("redis://localhost").await?;
/// steadfast::set_default_store(Store::new(keys))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Inner>);

struct Inner {
    connection: Connection,
    /// With its colon.
    prefix: Vec<u8>,
    durability: Durability,
}

impl RedisStore {
    /// Connects to a server with the defaults of [`Options`].
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: it cannot be reached, refuses, or is not as it has to be.
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    ///
    /// # Example: there is no server
    ///
    /// ```
    /// use steadfast_redis::{ConnectError, RedisStore};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let connected = RedisStore::connect("redis://127.0.0.1:1").await;
    /// assert!(matches!(connected, Err(ConnectError::Unreachable(_))));
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Options::new().connect(url).await
    }

    /// Sets options before connecting: [`Options::new`].
    ///
    /// # Example: keys of its own
    ///
    /// ```no_run
    /// use steadfast_redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
    /// let store = RedisStore::options().prefix("shop").connect("redis://localhost").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn options() -> Options {
        Options::new()
    }

    /// What a claim or a result survives, by what the server said when it was connected to.
    ///
    /// # Example: printed when the process begins
    ///
    /// ```no_run
    /// use steadfast_redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
    /// println!("keys: {}", RedisStore::connect("redis://localhost").await?.durability());
    /// # Ok(())
    /// # }
    /// ```
    pub fn durability(&self) -> Durability {
        self.0.durability
    }

    pub(crate) fn new(connection: Connection, prefix: &str, durability: Durability) -> Self {
        let prefix = format!("{prefix}:").into_bytes();
        Self(Arc::new(Inner { connection, prefix, durability }))
    }

    /// Whether the user may run scripts on keys of this prefix, and they may read them.
    pub(crate) async fn try_out(&self) -> RedisResult<()> {
        self.0.connection.run(&LOOK, &self.0.prefix, |_| {}).await.map(drop)
    }

    fn name_of(&self, key: &Key) -> Vec<u8> {
        [&*self.0.prefix, &key.to_bytes()].concat()
    }

    async fn ask_for(&self, key: &Key, claim: &Claim) -> Result<Claimed, StoreError> {
        let name = self.name_of(key);
        let args = |command: &mut Cmd| {
            command.arg(&claim.owner.to_be_bytes()[..]).arg(claim.fingerprint.as_bytes());
            command.arg(micros(claim.lease)).arg(micros(claim.ttl)).arg(claim.max_interruptions);
        };
        let connection = &self.0.connection;
        let answer = match connection.run(&CLAIM, &name, args).await {
            // There is no memory for another key. But an owner whose reply was lost has one.
            Err(error) if is_out_of_memory(&error) => connection.run(&RECLAIM, &name, args).await,
            answer => answer,
        };
        match answer::claimed(answer.map_err(of_operation)?)? {
            Answered::Claimed(claimed) => Ok(claimed),
            Answered::Full => Err(StoreError::Full),
        }
    }

    fn write<'a>(
        &'a self,
        script: &'static Script,
        key: &'a Key,
        args: impl Fn(&mut Cmd) + Send + Sync + 'a,
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let answer = self.0.connection.run(script, &self.name_of(key), args).await;
            Ok(written(&answer.map_err(of_operation)?)?)
        })
    }
}

impl KeyStore for RedisStore {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        Reply::later(self.ask_for(key, claim))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        self.write(&RENEW, key, move |command| {
            command.arg(token).arg(micros(lease));
        })
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        self.write(&COMPLETE, key, move |command| {
            command
                .arg(token)
                .arg(if succeeded { DONE } else { FAILED })
                .arg(result_bytes(&result));
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        self.write(&RELEASE, key, move |command| {
            command.arg(token).arg(micros(TOMBSTONE));
        })
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.write(&INTERRUPT, key, move |command| {
            command.arg(token).arg(u8::from(ran));
        })
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        Reply::later(async move {
            let answer = self.0.connection.run(&LOOK, &self.name_of(key), |_| {}).await;
            let found = found(answer.map_err(of_operation)?)?;
            Ok(found
                .filter(|(record, now)| !record.is_expired(*now))
                .map(|(record, now)| Found::new(key.clone(), record, now)))
        })
    }

    /// Scans the database, for each page anew.
    fn interrupted<'a>(&'a self, after: Option<&'a Key>, limit: usize) -> Reply<'a, Vec<Found>> {
        Reply::later(list::interrupted(&self.0.connection, &self.0.prefix, after, limit))
    }

    fn resolve<'a>(&'a self, key: &'a Key, resolution: &'a Resolution) -> Reply<'a, bool> {
        Reply::later(async move {
            let (state, result) = match resolution {
                Resolution::DidNotHappen => (RELEASED, Vec::new()),
                Resolution::Done(result) => (DONE, result_bytes(result)),
                Resolution::Failed(result) => (FAILED, result_bytes(result)),
            };
            let args = |command: &mut Cmd| {
                command.arg(state).arg(&result);
            };
            // Repeated, it would say that there was nothing to resolve.
            let answer = self.0.connection.run_once(&RESOLVE, &self.name_of(key), args).await;
            Ok(yes(&answer.map_err(of_operation)?)?)
        })
    }

    /// Scans the database.
    fn count(&self) -> Reply<'_, Counts> {
        Reply::later(list::count(&self.0.connection, &self.0.prefix))
    }

    /// The server forgets by itself: 0.
    fn purge(&self) -> Reply<'_, u64> {
        Reply::now(Ok(0))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &String::from_utf8_lossy(&self.0.prefix))
            .field("durability", &self.0.durability)
            .finish_non_exhaustive()
    }
}

/// As in `Record::release`.
const TOMBSTONE: Duration = Duration::from_secs(600);
