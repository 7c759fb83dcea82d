//! A cluster: each key is on the primary of its slot.

use std::time::Duration;

use redis::{
    Cmd, FromRedisValue, Pipeline, RedisResult, Value,
    aio::ConnectionLike,
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    cluster_routing::{
        MultipleNodeRoutingInfo, ResponsePolicy, RoutingInfo, SingleNodeRoutingInfo,
    },
};

use crate::{connection::Node, source::ready_for_tls};

#[derive(Clone)]
pub(crate) struct Cluster(ClusterConnection);

impl Cluster {
    pub(crate) async fn connect(urls: &[&str], limit: Duration) -> RedisResult<Self> {
        for url in urls {
            ready_for_tls(url);
        }
        let client = ClusterClient::builder(urls.iter().copied())
            .connection_timeout(limit)
            .response_timeout(limit)
            // Redirections and what else redis-rs tries again are part of it.
            .overall_response_timeout(Some(limit))
            .build()?;
        Ok(Self(client.get_async_connection().await?))
    }

    pub(crate) async fn ask(&self, command: &Cmd) -> RedisResult<Value> {
        self.0.clone().req_packed_command(command).await?.extract_error()
    }

    pub(crate) async fn infos(&self) -> RedisResult<Vec<(Node, String)>> {
        let primaries = RoutingInfo::MultiNode((
            MultipleNodeRoutingInfo::AllMasters,
            Some(ResponsePolicy::Special),
        ));
        let answers = self.0.clone().route_command(redis::cmd("INFO"), primaries).await?;
        let infos = Vec::<(String, String)>::from_redis_value(answers)?;
        Ok(infos.into_iter().filter_map(|(at, info)| Some((node_at(&at)?, info))).collect())
    }

    pub(crate) async fn ask_node(&self, host: &str, port: u16, command: Cmd) -> RedisResult<Value> {
        let node = RoutingInfo::SingleNode(by_address(host, port));
        self.0.clone().route_command(command, node).await?.extract_error()
    }

    pub(crate) async fn ask_node_all(
        &self,
        host: &str,
        port: u16,
        questions: Pipeline,
    ) -> RedisResult<Value> {
        let (count, node) = (questions.len(), by_address(host, port));
        self.0.clone().route_pipeline(questions, 0, count, node).await.map(Value::Array)
    }
}

fn node_at(address: &str) -> Option<Node> {
    let (host, port) = address.rsplit_once(':')?;
    Some(Node::Of { host: host.to_owned(), port: port.parse().ok()? })
}

fn by_address(host: &str, port: u16) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port }
}
