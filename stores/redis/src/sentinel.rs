//! Servers whose master is known to sentinels.

use std::{io, time::Duration};

use redis::{
    Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisError, RedisResult, TlsMode,
    sentinel::{Sentinel, SentinelNodeConnectionInfo},
};
use tokio::time::timeout;

use crate::source::ready_for_tls;

pub(crate) struct Sentinels {
    urls: Vec<String>,
    master: String,
    /// How the master is connected to.
    server: SentinelNodeConnectionInfo,
}

impl Sentinels {
    /// `master` is a name, or a URL with the name in place of the host.
    pub(crate) fn new(urls: &[&str], master: &str) -> RedisResult<Self> {
        let mut server = SentinelNodeConnectionInfo::default();
        let mut name = master.to_owned();
        if master.contains("://") {
            ready_for_tls(master);
            let info = master.into_connection_info()?;
            server = server.set_redis_connection_info(info.redis_settings().clone());
            name = match info.addr() {
                ConnectionAddr::Tcp(host, _) => host.clone(),
                ConnectionAddr::TcpTls { host, .. } => {
                    server = server.set_tls_mode(TlsMode::Secure);
                    host.clone()
                }
                _ => name,
            };
        }
        for url in urls {
            ready_for_tls(url);
            url.into_connection_info()?;
        }
        let urls = urls.iter().map(|&url| url.to_owned()).collect();
        Ok(Self { urls, master: name, server })
    }

    /// Asks one after the other, and each for a part of the time: one that is gone does not hide the
    /// others.
    pub(crate) async fn ask(&self, limit: Duration) -> RedisResult<Client> {
        let share = limit / u32::try_from(self.urls.len() + 1).unwrap_or(u32::MAX);
        let mut last =
            RedisError::from((ErrorKind::EmptySentinelList, "there is no sentinel to ask"));
        for url in &self.urls {
            let asking = async {
                Sentinel::build(vec![url.as_str()])?
                    .async_master_for(&self.master, Some(&self.server))
                    .await
            };
            match timeout(share, asking).await {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::from(io::ErrorKind::TimedOut).into(),
            }
        }
        Err(last)
    }
}
