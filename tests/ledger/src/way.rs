//! A worker's way to the key store: a server of ours, or an engine that processes share.

use std::{future::Future, path::PathBuf, time::Duration};

use serde_json::Value;
use steadfast::idempotent::{Claim, Claimed, Found, Key, Store, StoreError, Stored, Written};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::sleep,
};

use crate::wire;

#[derive(Debug)]
pub(crate) enum Way {
    Engine(Store),
    Server(PathBuf),
}

/// What a token guards.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Complete { succeeded: bool, result: Stored },
    Interrupt { ran: bool },
    Release,
    Renew { lease: Duration },
}

impl Way {
    /// `sent` happens when the claim is on its way, and before its answer is read.
    pub(crate) async fn claim(
        &self,
        key: &Key,
        claim: &Claim,
        sent: impl Future<Output = ()>,
    ) -> Result<Claimed, StoreError> {
        match self {
            Self::Engine(store) => {
                let (store, key, claim) = (store.clone(), key.clone(), claim.clone());
                let asked = tokio::spawn(async move { store.claim(&key, &claim).await });
                sleep(ON_ITS_WAY).await;
                sent.await;
                asked.await.unwrap_or_else(|error| Err(StoreError::unavailable(error)))
            }
            Self::Server(socket) => {
                let said = ask(socket, &wire::claim(key, claim), sent).await?;
                wire::read_claimed(&said).ok_or_else(nonsense)
            }
        }
    }

    pub(crate) async fn write(
        &self,
        key: &Key,
        token: u64,
        write: Write,
    ) -> Result<Written, StoreError> {
        match self {
            Self::Engine(store) => {
                // Who asked may leave: what was asked for happens all the same.
                let (store, key) = (store.clone(), key.clone());
                let asked = tokio::spawn(async move {
                    match write {
                        Write::Complete { succeeded, result } => {
                            store.complete(&key, token, succeeded, result).await
                        }
                        Write::Interrupt { ran } => store.interrupt(&key, token, ran).await,
                        Write::Release => store.release(&key, token).await,
                        Write::Renew { lease } => store.renew(&key, token, lease).await,
                    }
                });
                asked.await.unwrap_or_else(|error| Err(StoreError::unavailable(error)))
            }
            Self::Server(socket) => {
                let said = ask(socket, &wire::write(key, token, &write), async {}).await?;
                wire::read_written(&said).ok_or_else(nonsense)
            }
        }
    }

    pub(crate) async fn look(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        match self {
            Self::Engine(store) => store.look(key).await,
            Self::Server(socket) => {
                let said = ask(socket, &wire::about("look", key), async {}).await?;
                Ok(wire::read_found(key, &said))
            }
        }
    }
}

/// On a connection of its own, which a server that was killed does not spoil for the next request.
async fn ask(
    socket: &PathBuf,
    asked: &Value,
    sent: impl Future<Output = ()>,
) -> Result<Value, StoreError> {
    let line = async {
        let mut connection = UnixStream::connect(socket).await?;
        connection.write_all(format!("{asked}\n").as_bytes()).await?;
        sent.await;
        let mut line = String::new();
        BufReader::new(connection).read_line(&mut line).await?;
        std::io::Result::Ok(line)
    };
    let line = line.await.map_err(StoreError::unavailable)?;
    wire::answer(serde_json::from_str(&line).map_err(StoreError::unavailable)?)
}

fn nonsense() -> StoreError {
    StoreError::corrupt("the server does not speak as it should")
}

const ON_ITS_WAY: Duration = Duration::from_millis(1);
