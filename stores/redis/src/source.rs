//! Where a connection comes from.

#[cfg(feature = "sentinel")]
use std::sync::Arc;
use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, RedisResult, aio::MultiplexedConnection};

#[cfg(feature = "sentinel")]
use crate::sentinel::Sentinels;

#[derive(Clone)]
pub(crate) enum Source {
    Server(Box<Client>),
    #[cfg(feature = "sentinel")]
    Sentinels(Arc<Sentinels>),
}

impl Source {
    /// One server, without connecting to it.
    pub(crate) fn of(url: &str) -> RedisResult<Self> {
        ready_for_tls(url);
        Client::open(url).map(|client| Self::Server(Box::new(client)))
    }

    /// A name is looked up anew each time: that is how some failovers are told.
    pub(crate) async fn connect(&self, limit: Duration) -> RedisResult<MultiplexedConnection> {
        let client = match self {
            Self::Server(client) => Client::clone(client),
            #[cfg(feature = "sentinel")]
            Self::Sentinels(sentinels) => sentinels.ask(limit).await?,
        };
        // Who asks has a limit for all of it.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            .set_response_timeout(None)
            .set_pipeline_buffer_size(BUFFER);
        client.get_multiplexed_async_connection_with_config(&config).await
    }
}

/// rustls has no cryptography of its own, and takes what the process has set.
pub(crate) fn ready_for_tls(url: &str) {
    #[cfg(feature = "tls")]
    if url.starts_with("rediss") && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    #[cfg(not(feature = "tls"))]
    let _ = url;
}

/// Requests that may wait for the socket.
const BUFFER: usize = 1_024;
