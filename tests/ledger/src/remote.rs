//! A worker's end of the key store: it asks the server, notes what matters, and lets blows fall.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, StoreError, Stored, Written,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::sleep,
};

use crate::{
    jobs::LEASE,
    mutants::Mutant,
    points::{Blow, Point, Points},
    server::SOCKET,
    wire::{self, nanos},
};

/// A store behind a socket.
pub(crate) struct Remote {
    socket: PathBuf,
    points: Points,
    mutant: Option<Mutant>,
}

impl Remote {
    pub(crate) fn new(folder: &Path, points: Points, mutant: Option<Mutant>) -> Self {
        Self { socket: folder.join(SOCKET), points, mutant }
    }

    /// On a connection of its own, which a server that was killed does not spoil for the next request.
    async fn ask(&self, asked: &Value, at: Option<(&str, Point)>) -> Result<Value, StoreError> {
        let line = async {
            let mut connection = UnixStream::connect(&self.socket).await?;
            connection.write_all(format!("{asked}\n").as_bytes()).await?;
            if let Some((name, point)) = at {
                self.reach(name, point).await;
            }
            let mut line = String::new();
            BufReader::new(connection).read_line(&mut line).await?;
            std::io::Result::Ok(line)
        };
        let line = line.await.map_err(StoreError::unavailable)?;
        wire::answer(serde_json::from_str(&line).map_err(StoreError::unavailable)?)
    }

    /// Lets fall what is planned for this point; if it does not hit this very request, that goes on.
    async fn reach(&self, name: &str, point: Point) -> Option<Blow> {
        let blow = self.points.at(name, point)?;
        match blow {
            // Whoever is to be dropped is, in the meantime.
            Blow::Drop => sleep(LEASE / 4).await,
            Blow::DelayReply => sleep(2 * LEASE).await,
            _ => {}
        }
        Some(blow)
    }

    fn note(&self, kind: &str, name: &str, more: Value) {
        self.points.ledger().tell(kind, name, more);
    }

    async fn send_claim(&self, key: &Key, claim: &Claim) -> Result<Claimed, StoreError> {
        let (name, owner) = (&name(key), claim.owner.to_string());
        let lease = u64::try_from(claim.lease.as_millis()).unwrap_or(u64::MAX);
        self.note("claiming", name, json!({ "owner": owner, "lease": lease }));
        if self.reach(name, Point::BeforeClaim).await == Some(Blow::LoseRequest) {
            return Err(StoreError::unavailable("the request was lost"));
        }
        let said = self.ask(&wire::claim(key, claim), Some((name, Point::ClaimSent))).await?;
        let claimed = wire::read_claimed(&said).ok_or_else(nonsense)?;
        if let Claimed::Acquired(acquired) = &claimed {
            let more = json!({
                "owner": owner, "token": acquired.token, "took_over": acquired.took_over,
            });
            self.note("claimed", name, more);
            if self.reach(name, Point::ClaimAcknowledged).await == Some(Blow::LoseReply) {
                return Err(StoreError::unavailable("the reply was lost"));
            }
        }
        Ok(claimed)
    }

    async fn send_complete(
        &self,
        key: &Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Result<Written, StoreError> {
        let name = &name(key);
        self.note("completing", name, json!({ "token": token }));
        if self.reach(name, Point::BeforeComplete).await == Some(Blow::LoseRequest) {
            return Err(StoreError::unavailable("the request was lost"));
        }
        let mut asked = wire::about("complete", key);
        asked["token"] = token.into();
        asked["succeeded"] = succeeded.into();
        asked["result"] = wire::show_stored(&result);
        let said = self.ask(&asked, None).await?;
        let written = wire::read_written(&said).ok_or_else(nonsense)?;
        if written == Written::Yes {
            let value = asked["result"]["json"].as_str().unwrap_or_default();
            let value: Value = serde_json::from_str(value).unwrap_or_default();
            self.note("completed", name, json!({ "token": token, "value": value }));
            if self.reach(name, Point::AfterComplete).await == Some(Blow::LoseReply) {
                return Err(StoreError::unavailable("the reply was lost"));
            }
        }
        Ok(written)
    }

    /// A write that is noted when it is sent, and when it was made.
    fn write<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        operation: &'static str,
        more: (&'static str, Value),
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let name = &name(key);
            self.note("writing", name, json!({ "token": token, "operation": operation }));
            let mut asked = wire::about(operation, key);
            asked["token"] = token.into();
            asked[more.0] = more.1;
            let said = self.ask(&asked, None).await?;
            let written = wire::read_written(&said).ok_or_else(nonsense)?;
            if written == Written::Yes {
                self.note("written", name, json!({ "token": token, "operation": operation }));
            }
            Ok(written)
        })
    }
}

fn nonsense() -> StoreError {
    StoreError::corrupt("the server does not speak as it should")
}

fn not_here<'a, T>() -> Reply<'a, T> {
    Reply::now(Err(StoreError::unavailable("nobody asks that here")))
}

/// The plain key, as the driver has named it.
pub(crate) fn name(key: &Key) -> String {
    key.to_string().split('"').nth(1).unwrap_or_default().to_owned()
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

impl KeyStore for Remote {
    fn name(&self) -> &'static str {
        "remote"
    }

    fn claim<'a>(&'a self, key: &'a Key, claim: &'a Claim) -> Reply<'a, Claimed> {
        Reply::later(self.send_claim(key, claim))
    }

    fn renew<'a>(&'a self, key: &'a Key, token: u64, lease: Duration) -> Reply<'a, Written> {
        self.write(key, token, "renew", ("lease", nanos(lease).into()))
    }

    fn complete<'a>(
        &'a self,
        key: &'a Key,
        token: u64,
        succeeded: bool,
        result: Stored,
    ) -> Reply<'a, Written> {
        Reply::later(async move {
            let written = self.send_complete(key, token, succeeded, result).await;
            if self.mutant == Some(Mutant::ReleaseAfterFailedComplete) && written.is_err() {
                let _ = self.release(key, token).await;
            }
            written
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: u64) -> Reply<'a, Written> {
        self.write(key, token, "release", ("more", Value::Null))
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.write(key, token, "interrupt", ("ran", ran.into()))
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        Reply::later(async move {
            let said = self.ask(&wire::about("look", key), None).await?;
            Ok(wire::read_found(key, &said))
        })
    }

    fn interrupted<'a>(&'a self, _: Option<&'a Key>, _: usize) -> Reply<'a, Vec<Found>> {
        not_here()
    }

    fn resolve<'a>(&'a self, _: &'a Key, _: &'a Resolution) -> Reply<'a, bool> {
        not_here()
    }

    fn count(&self) -> Reply<'_, Counts> {
        not_here()
    }

    fn purge(&self) -> Reply<'_, u64> {
        not_here()
    }
}
