use std::fmt::Write;

use super::{Redis, RedisOptions};

/// A sentinel that by itself decides who is the master.
#[derive(Debug)]
pub struct RedisSentinel(Redis);

impl RedisSentinel {
    /// Watches over this server and its replicas, under this name.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`].
    pub fn start(master: &Redis, name: &str) -> Self {
        let port = master.port;
        let mut settings = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 1\n\
             sentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 5000\n"
        );
        if let Some(password) = &master.options.password {
            let _ = writeln!(settings, "sentinel auth-pass {name} {password}");
        }
        Self(RedisOptions { sentinel: Some(settings), ..RedisOptions::default() }.start())
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The sentinel itself, for commands.
    pub fn server(&self) -> &Redis {
        &self.0
    }
}
