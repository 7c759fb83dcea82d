use std::{sync::Arc, time::Duration};

#[cfg(feature = "cluster")]
use crate::cluster::Cluster;
#[cfg(feature = "sentinel")]
use crate::sentinel::Sentinels;
use crate::{
    check::check,
    connection::Connection,
    durability::Log,
    error::{ConnectError, of_connecting},
    link::Link,
    source::Source,
    store::RedisStore,
};

/// How a store is connected to.
///
/// | setting | default |
/// |---|---|
/// | [`prefix`](Self::prefix) | `steadfast` |
/// | [`timeout`](Self::timeout) | 1 s |
/// | [`allow_eviction`](Self::allow_eviction) | no: such a server is refused |
///
/// # Example: all of them
///
/// ```no_run
/// use std::time::Duration;
/// use steadfast_redis::Options;
///
/// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
/// let store = Options::new()
///     .prefix("shop")
///     .timeout(Duration::from_millis(250))
///     .allow_eviction()
///     .connect("redis://:password@localhost:6379/1")
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    prefix: String,
    timeout: Duration,
    allows_eviction: bool,
}

impl Options {
    /// The defaults.
    #[expect(clippy::new_without_default, reason = "RedisStore::options is the way here")]
    pub fn new() -> Self {
        let (prefix, timeout) = ("steadfast".to_owned(), Duration::from_secs(1));
        Self { prefix, timeout, allows_eviction: false }
    }

    /// Sets what the names of all keys begin with, before a colon. Stores with the same prefix in one
    /// database share their keys.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Limits how long connecting may take, and each operation: then it is
    /// [`StoreError::Unavailable`](steadfast::idempotent::StoreError::Unavailable), and may have
    /// happened. A connection that has not answered in time is replaced.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Accepts a server that forgets keys when its memory is full, also such as are in use: then what
    /// they stand for may run twice.
    #[must_use]
    pub const fn allow_eviction(mut self) -> Self {
        self.allows_eviction = true;
        self
    }

    /// Connects to one server: `redis://`, `redis+unix://`, or `rediss://` with the feature `tls`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`]: it cannot be reached, refuses, or is not as it has to be.
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    pub async fn connect(self, url: &str) -> Result<RedisStore, ConnectError> {
        let source = Source::of(url).map_err(of_connecting)?;
        let connection = self.link(source).await?;
        self.finish(connection, false).await
    }

    /// Connects to a cluster, by some of its nodes. User and password are those of the first.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], as of [`connect`](Self::connect), if it is so for one of the primaries.
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    ///
    /// # Example: two of six nodes
    ///
    /// ```no_run
    /// use steadfast_redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
    /// let store = RedisStore::options().connect_cluster(&["redis://one", "redis://two"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "cluster")]
    pub async fn connect_cluster(self, urls: &[&str]) -> Result<RedisStore, ConnectError> {
        // A node by itself says more clearly what is wrong than all of them together.
        let mut last = None;
        for url in urls {
            let source = Source::of(url).map_err(of_connecting)?;
            let answer = match self.link(source).await {
                Ok(node) => check(&node, self.allows_eviction, true).await.map(drop),
                Err(error) => Err(error),
            };
            match answer {
                // A replica knows its primary, which is checked with the others.
                Ok(()) | Err(ConnectError::Replica) => {
                    last = None;
                    break;
                }
                Err(error) => last = Some(error),
            }
        }
        if let Some(error) = last {
            return Err(error);
        }
        let cluster = Cluster::connect(urls, self.timeout).await.map_err(of_connecting)?;
        self.finish(Connection::Cluster(cluster), true).await
    }

    /// Connects to the master that the sentinels know by this name, and asks them again when it fails or
    /// can only be read.
    ///
    /// If the master wants a password, another database or TLS, say its name in a URL in place of the
    /// host: `redis://user:password@mymaster/1`. A password in the URL of a sentinel is that sentinel's.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], as of [`connect`](Self::connect), and if no sentinel knows the name.
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    ///
    /// # Example: three sentinels
    ///
    /// ```no_run
    /// use steadfast_redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), steadfast_redis::ConnectError> {
    /// let sentinels = ["redis://one:26379", "redis://two:26379", "redis://three:26379"];
    /// let store = RedisStore::options().connect_sentinel(&sentinels, "mymaster").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "sentinel")]
    pub async fn connect_sentinel(
        self,
        urls: &[&str],
        master: &str,
    ) -> Result<RedisStore, ConnectError> {
        let sentinels = Sentinels::new(urls, master).map_err(of_connecting)?;
        let connection = self.link(Source::Sentinels(Arc::new(sentinels))).await?;
        self.finish(connection, false).await
    }

    async fn link(&self, source: Source) -> Result<Connection, ConnectError> {
        let link = Link::connect(source, self.timeout).await.map_err(of_connecting)?;
        Ok(Connection::Server(Arc::new(link)))
    }

    async fn finish(
        self,
        connection: Connection,
        is_cluster: bool,
    ) -> Result<RedisStore, ConnectError> {
        let durability = check(&connection, self.allows_eviction, is_cluster).await?;
        if matches!(durability.log, Log::Off | Log::Unsynced) || durability.evicts {
            tracing::warn!(%durability, prefix = self.prefix, "idempotency keys may be lost");
        }
        let store = RedisStore::new(connection, &self.prefix, durability);
        store.try_out().await.map_err(of_connecting)?;
        Ok(store)
    }
}
