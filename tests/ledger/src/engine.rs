//! What keeps the keys: a server of ours, or one of those that processes share.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use steadfast::idempotent::Store;
use steadfast_postgres::PostgresStore;
use steadfast_redis::RedisStore;
use steadfast_test_servers::{Postgres, Redis};
use tokio::time::{Instant, sleep};

use crate::{
    driver::Process,
    mutants::Mutant,
    points::{name_of, named},
    server::SOCKET,
    way::Way,
};

/// What keeps the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// A PostgreSQL server, which crashes and recovers.
    Postgres,
    /// A file, behind a server of ours.
    Redb,
    /// A Redis server with an append-only file, which is killed and reads it again.
    Redis,
}

impl Engine {
    /// All of them, and what the arguments call them.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Postgres, "postgres"), (Self::Redb, "redb"), (Self::Redis, "redis")];

    /// What the arguments call it.
    pub fn name(self) -> &'static str {
        name_of(&Self::ALL, self)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        named(&Self::ALL, name)
    }
}

/// One that runs.
pub(crate) enum Running {
    Postgres { server: Postgres, database: String },
    Redb { process: Process, binary: PathBuf, role: Vec<String> },
    Redis(Redis),
}

impl Running {
    pub(crate) fn start(
        engine: Engine,
        binary: &Path,
        folder: &Path,
        mutant: Option<Mutant>,
    ) -> io::Result<Self> {
        match engine {
            Engine::Postgres => {
                // On disk before it is answered: what a server promises of itself.
                let server = Postgres::with(&[("fsync", "on")]);
                let database = server.new_database();
                Ok(Self::Postgres { server, database })
            }
            Engine::Redb => {
                let folder = folder.to_string_lossy().into_owned();
                let mutant = mutant.map_or("none", Mutant::name).to_owned();
                let role = vec!["server".to_owned(), folder, mutant];
                let (process, _) = Process::start(binary, &role)?;
                Ok(Self::Redb { process, binary: binary.to_owned(), role })
            }
            Engine::Redis => Ok(Self::Redis(Redis::options().set("appendonly", "yes").start())),
        }
    }

    /// Where a worker finds it.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Postgres { server, database } => server.url(database),
            Self::Redb { .. } => "server".to_owned(),
            Self::Redis(server) => server.url(),
        }
    }

    /// It dies at once.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        match self {
            Self::Postgres { server, .. } => server.crash(),
            Self::Redb { process, .. } => process.kill()?,
            Self::Redis(server) => server.kill(),
        }
        Ok(())
    }

    /// And comes back, with what it has kept.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::Postgres { server, .. } => server.restart(),
            Self::Redb { process, binary, role } => (*process, _) = Process::start(binary, role)?,
            Self::Redis(server) => server.restart(),
        }
        Ok(())
    }
}

/// The way to what is found at an address, if it is there soon.
pub(crate) async fn way(address: &str, folder: &Path) -> io::Result<Way> {
    let give_up = Instant::now() + Duration::from_secs(20);
    loop {
        let store = match address.split(':').next() {
            Some("postgres") => {
                let options = PostgresStore::options().max_connections(8).create_schema();
                options.connect(address).await.map(Store::new).map_err(io::Error::other)
            }
            Some("redis") => {
                RedisStore::connect(address).await.map(Store::new).map_err(io::Error::other)
            }
            _ => return Ok(Way::Server(folder.join(SOCKET))),
        };
        match store {
            Ok(store) => return Ok(Way::Engine(store)),
            Err(error) if Instant::now() > give_up => return Err(error),
            // It may be about to come back.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
