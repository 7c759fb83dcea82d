//! A worker's end of the key store: it asks for what is asked of it, notes what matters, and lets blows
//! fall.

use std::{fmt, time::Duration};

use serde_json::{Value, json};
use steadfast::idempotent::{
    Claim, Claimed, Counts, Found, Key, KeyStore, Reply, Resolution, StoreError, Stored, Written,
};
use tokio::time::sleep;

use crate::{
    jobs::LEASE,
    mutants::Mutant,
    points::{Blow, Point, Points},
    way::{Way, Write},
};

/// A store behind a network.
pub(crate) struct Remote {
    way: Way,
    points: Points,
    mutant: Option<Mutant>,
}

impl Remote {
    pub(crate) fn new(way: Way, points: Points, mutant: Option<Mutant>) -> Self {
        Self { way, points, mutant }
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
        let sent = async {
            self.reach(name, Point::ClaimSent).await;
        };
        let claimed = self.way.claim(key, claim, sent).await?;
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
        let value = match &result {
            Stored::Json(json) => serde_json::from_slice(json).unwrap_or_default(),
            Stored::TooLarge { .. } | Stored::Unserializable => Value::Null,
        };
        let written = self.way.write(key, token, Write::Complete { succeeded, result }).await?;
        if written == Written::Yes {
            self.note("completed", name, json!({ "token": token, "value": value }));
            if self.reach(name, Point::AfterComplete).await == Some(Blow::LoseReply) {
                return Err(StoreError::unavailable("the reply was lost"));
            }
        }
        Ok(written)
    }

    /// A write that is noted when it is sent, and when it was made.
    fn write<'a>(&'a self, key: &'a Key, token: u64, write: Write) -> Reply<'a, Written> {
        Reply::later(async move {
            let (name, operation) = (&name(key), write.name());
            self.note("writing", name, json!({ "token": token, "operation": operation }));
            let written = self.way.write(key, token, write).await?;
            if written == Written::Yes {
                self.note("written", name, json!({ "token": token, "operation": operation }));
            }
            Ok(written)
        })
    }
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
        self.write(key, token, Write::Renew { lease })
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
        self.write(key, token, Write::Release)
    }

    fn interrupt<'a>(&'a self, key: &'a Key, token: u64, ran: bool) -> Reply<'a, Written> {
        self.write(key, token, Write::Interrupt { ran })
    }

    fn look<'a>(&'a self, key: &'a Key) -> Reply<'a, Option<Found>> {
        Reply::later(self.way.look(key))
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
