//! The server: keeps the keys in a file, for all workers. It may be killed, and loses nothing by that.

use std::{fs, io, path::Path, sync::Arc};

use serde_json::Value;
use steadfast::idempotent::{KeyStore, Store};
use steadfast_redb::RedbStore;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use crate::{ledger::exit_with_the_driver, mutants::Mutant, wire};

#[tokio::main]
pub(crate) async fn run(folder: &Path, mutant: Option<Mutant>) -> io::Result<()> {
    let keys = folder.join("keys.redb");
    let store = RedbStore::options().cache_bytes(4 << 20).open(keys).map_err(io::Error::other)?;
    let store = Mutant::in_front_of(mutant, Store::new(store));
    let socket = folder.join(SOCKET);
    // That of a server which was killed.
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(socket)?;
    exit_with_the_driver();
    println!("{{}}");
    loop {
        let (connection, _) = listener.accept().await?;
        tokio::spawn(serve(Arc::clone(&store), connection));
    }
}

async fn serve(store: Arc<dyn KeyStore>, mut connection: UnixStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(&mut connection).read_line(&mut line).await?;
    if !line.ends_with('\n') {
        return Ok(());
    }
    let asked: Value = serde_json::from_str(&line)?;
    // Whoever asked may be gone by now: what was asked for happens all the same.
    let answer = wire::serve(&*store, &asked).await;
    connection.write_all(format!("{answer}\n").as_bytes()).await
}

pub(crate) const SOCKET: &str = "store";
