//! What a server has to be, by what it says of itself.

use std::collections::HashMap;

use redis::{Value, from_redis_value};

use crate::{
    connection::{Connection, Node},
    durability::{Durability, Log},
    error::{ConnectError, of_connecting},
};

/// Checks every server that keeps keys.
pub(crate) async fn check(
    connection: &Connection,
    allows_eviction: bool,
    is_cluster: bool,
) -> Result<Durability, ConnectError> {
    let mut worst: Option<Durability> = None;
    for (node, info) in connection.infos().await.map_err(of_connecting)? {
        let info = Info::of(&info);
        info.check(allows_eviction, is_cluster)?;
        let durability = Durability {
            log: log(connection, &node, &info).await,
            replicas: info.get("connected_slaves").parse().unwrap_or(0),
            evicts: info.evicts(),
        };
        worst = Some(worst.map_or(durability, |worst| worst.worst(durability)));
    }
    worst.ok_or(ConnectError::NoCluster)
}

async fn log(connection: &Connection, node: &Node, info: &Info<'_>) -> Log {
    if info.get("aof_enabled") != "1" {
        return Log::Off;
    }
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg("appendfsync");
    // Where it is not allowed, the store is no worse for it.
    let answer = connection.ask_node(node, command).await.unwrap_or(Value::Nil);
    let setting: HashMap<String, String> = from_redis_value(answer).unwrap_or_default();
    match setting.get("appendfsync").map(String::as_str) {
        Some("always") => Log::Always,
        Some("everysec") => Log::EverySecond,
        Some("no") => Log::Unsynced,
        _ => Log::Unknown,
    }
}

/// The answer to `INFO`.
pub(crate) struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.split_once(':')).collect())
    }

    pub(crate) fn check(
        &self,
        allows_eviction: bool,
        is_cluster: bool,
    ) -> Result<(), ConnectError> {
        let mode = self.get("redis_mode");
        if mode == "sentinel" {
            return Err(ConnectError::Sentinel);
        }
        // Valkey says here which Redis it can stand for.
        let version = self.get("redis_version");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < 7) {
            return Err(ConnectError::Version(version.to_owned()));
        }
        match (is_cluster, mode == "cluster") {
            (false, true) => return Err(ConnectError::Cluster),
            (true, false) => return Err(ConnectError::NoCluster),
            _ => {}
        }
        if self.get("role") == "slave" {
            return Err(ConnectError::Replica);
        }
        if self.evicts() && !allows_eviction {
            return Err(ConnectError::Evicts(self.get("maxmemory_policy").to_owned()));
        }
        Ok(())
    }

    fn evicts(&self) -> bool {
        !matches!(self.get("maxmemory_policy"), "noeviction" | "")
    }

    fn get(&self, name: &str) -> &'a str {
        self.0.get(name).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(info: &str, is_cluster: bool) -> Result<(), ConnectError> {
        Info::of(info).check(false, is_cluster)
    }

    #[test]
    fn a_server_is_what_it_has_to_be() {
        let good = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\
                    maxmemory_policy:noeviction\r\nrole:master\r\n";
        assert!(check(good, false).is_ok());
        assert!(matches!(check(good, true), Err(ConnectError::NoCluster)));
        let replaced = |from, to| check(&good.replace(from, to), false);
        assert!(replaced("7.0.15", "7.2.4\r\nvalkey_version:8.1.0").is_ok());
        assert!(replaced("7.0.15", "10.0.0").is_ok());
        let old = replaced("7.0.15", "6.2.14").unwrap_err();
        assert_eq!(old.to_string(), "it is version `6.2.14`: Redis 7 or Valkey is needed");
        assert!(matches!(replaced("standalone", "cluster"), Err(ConnectError::Cluster)));
        assert!(matches!(replaced("standalone", "sentinel"), Err(ConnectError::Sentinel)));
        assert!(matches!(replaced("role:master", "role:slave"), Err(ConnectError::Replica)));
        let evicts = replaced("noeviction", "allkeys-lru").unwrap_err();
        assert!(matches!(&evicts, ConnectError::Evicts(policy) if policy == "allkeys-lru"));
    }
}
