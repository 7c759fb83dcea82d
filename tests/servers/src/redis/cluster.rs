use super::{Redis, RedisOptions};

/// Some servers that share the keys: all of them primaries, until there are replicas.
#[derive(Debug)]
pub struct RedisCluster {
    /// They, for a test to kill.
    pub nodes: Vec<Redis>,
    options: RedisOptions,
}

impl RedisCluster {
    /// Starts so many with these options, and has them meet.
    ///
    /// # Panics
    ///
    /// As [`RedisOptions::start`], and if they have not met in 10 s.
    pub fn start(count: u16, options: &RedisOptions) -> Self {
        // A clock that a test moves is not to make each take the others for dead.
        let options = RedisOptions { is_in_cluster: true, ..options.clone() }
            .set("cluster-node-timeout", "600000000");
        let nodes: Vec<_> = (0..count).map(|_| options.clone().start()).collect();
        let share = SLOTS.div_ceil(count);
        for (at, node) in (0_u16..).zip(&nodes) {
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(at + 1).to_string()]);
            let (from, to) = (at * share, (at * share + share).min(SLOTS) - 1);
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
        }
        for node in &nodes[1..] {
            meet(&nodes[0], node);
        }
        let cluster = Self { nodes, options };
        cluster.wait();
        cluster
    }

    /// Adds a replica of one of them, as the last.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn add_replica(&mut self, of: usize) {
        let replica = self.options.clone().start();
        meet(&self.nodes[0], &replica);
        self.nodes.push(replica);
        self.wait();
        let (primary, replica) = (&self.nodes[of], &self.nodes[self.nodes.len() - 1]);
        replica.command(&["CLUSTER", "REPLICATE", &primary.command(&["CLUSTER", "MYID"])]);
        replica.wait_for(&["INFO", "replication"], "master_link_status:up");
    }

    fn wait(&self) {
        for node in &self.nodes {
            let count = format!("cluster_known_nodes:{}", self.nodes.len());
            node.wait_for(&["CLUSTER", "INFO"], &count);
            node.wait_for(&["CLUSTER", "INFO"], "cluster_slots_assigned:16384");
            node.wait_for(&["CLUSTER", "INFO"], "cluster_state:ok");
        }
    }

    /// Where they are.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }
}

fn meet(one: &Redis, other: &Redis) {
    let bus = other.command(&["CONFIG", "GET", "cluster-port"]);
    let bus = bus.lines().last().expect("a port");
    one.command(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string(), bus]);
}

const SLOTS: u16 = 16_384;
