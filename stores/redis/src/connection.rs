//! One server or a cluster: what operations are sent over.

use std::sync::Arc;

use redis::{Cmd, ErrorKind, Pipeline, RedisResult, ServerErrorKind, Value};

#[cfg(feature = "cluster")]
use crate::cluster::Cluster;
use crate::{
    link::{Link, Question},
    script::Script,
};

#[derive(Clone)]
pub(crate) enum Connection {
    Server(Arc<Link>),
    #[cfg(feature = "cluster")]
    Cluster(Cluster),
}

/// One of the servers that keep keys.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Only,
    #[cfg(feature = "cluster")]
    Of {
        host: String,
        port: u16,
    },
}

impl Connection {
    /// Runs a script on a key, in one round trip if the server knows it.
    pub(crate) async fn run(
        &self,
        script: &Script,
        key: &[u8],
        args: impl Fn(&mut Cmd),
    ) -> RedisResult<Value> {
        self.run_as(script, key, args, true).await
    }

    /// As [`run`](Self::run), and never twice for a reply that was lost.
    pub(crate) async fn run_once(
        &self,
        script: &Script,
        key: &[u8],
        args: impl Fn(&mut Cmd),
    ) -> RedisResult<Value> {
        self.run_as(script, key, args, false).await
    }

    async fn run_as(
        &self,
        script: &Script,
        key: &[u8],
        args: impl Fn(&mut Cmd),
        is_repeatable: bool,
    ) -> RedisResult<Value> {
        match self.ask(&script.by_hash(key, &args), is_repeatable).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.ask(&script.by_code(key, &args), is_repeatable).await
            }
            answer => answer,
        }
    }

    async fn ask(&self, command: &Cmd, is_repeatable: bool) -> RedisResult<Value> {
        match self {
            Self::Server(link) => link.ask(Question::One(command), is_repeatable).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.ask(command).await,
        }
    }

    /// What each of the servers that keep keys says of itself.
    pub(crate) async fn infos(&self) -> RedisResult<Vec<(Node, String)>> {
        match self {
            Self::Server(_) => {
                let info = self.ask(&redis::cmd("INFO"), true).await?;
                Ok(vec![(Node::Only, redis::from_redis_value(info)?)])
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.infos().await,
        }
    }

    /// Asks one of them.
    pub(crate) async fn ask_node(&self, node: &Node, command: Cmd) -> RedisResult<Value> {
        match (self, node) {
            #[cfg(feature = "cluster")]
            (Self::Cluster(cluster), Node::Of { host, port }) => {
                cluster.ask_node(host, *port, command).await
            }
            _ => self.ask(&command, true).await,
        }
    }

    /// Asks one of them several things at once: an array, in which some may be errors.
    pub(crate) async fn ask_node_all(
        &self,
        node: &Node,
        questions: &Pipeline,
    ) -> RedisResult<Value> {
        match (self, node) {
            (Self::Server(link), _) => link.ask(Question::Several(questions), true).await,
            #[cfg(feature = "cluster")]
            (Self::Cluster(cluster), Node::Of { host, port }) => {
                cluster.ask_node_all(host, *port, questions.clone()).await
            }
            #[cfg(feature = "cluster")]
            (Self::Cluster(_), Node::Only) => Ok(Value::Array(Vec::new())),
        }
    }
}
