//! The way in to a provider: a loopback port.

use std::{
    error::Error,
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::Request,
    response::{IntoResponse, Response},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

/// A port that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    address: SocketAddr,
    /// One task; the set ends it, and with it every connection, when the door is dropped.
    _listening: JoinSet<()>,
}

impl Door {
    /// Opens on a free port.
    pub(crate) async fn open(app: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, app));
        Ok(Self { address, _listening: listening })
    }

    /// Where `path` is found behind it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn listen(listener: TcpListener, app: Router) {
    let mut connections = JoinSet::new();
    loop {
        // Out of files, most likely: closed connections give them back.
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let app = TowerToHyperService::new(app.clone());
        let service = service_fn(move |request| answer(app.clone(), request));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// An error of the service is the one way to make hyper close a connection without a reply, and
/// axum's handlers can't return one; so a mark on the response stands for it until here.
async fn answer(
    app: TowerToHyperService<Router>,
    request: Request<Incoming>,
) -> Result<Response, HangUp> {
    let Ok(response) = app.call(request).await;
    response.extensions().get().copied().map_or(Ok(response), Err)
}

/// In place of a response: close the connection without a word.
#[derive(Clone, Copy, Debug)]
struct HangUp;

impl fmt::Display for HangUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hung up")
    }
}

impl Error for HangUp {}

pub(crate) fn hang_up() -> Response {
    Extension(HangUp).into_response()
}
