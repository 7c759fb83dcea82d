//! The payment provider: an HTTP service on a loopback port that misbehaves on command.

mod desk;
mod ledger;
mod mood;

pub(crate) use self::{ledger::Ledger, mood::Mood};

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::Request, response::Response, routing::post};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use self::desk::{Desk, HangUp};

/// A provider that takes charges until it is dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    address: SocketAddr,
    desk: Arc<Desk>,
    /// One task; the set ends it, and with it every connection, when the provider is dropped.
    _listening: JoinSet<()>,
}

impl Provider {
    /// Opens on a free port.
    pub(crate) async fn open(mood: Mood) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let desk = Arc::new(Desk::new(mood));
        let app = Router::new().route("/charges", post(desk::charge)).with_state(desk.clone());
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, app));
        Ok(Self { address, desk, _listening: listening })
    }

    /// Where it takes charges.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/charges", self.address)
    }

    /// Its books, once the work that nobody waits for any more is done too.
    pub(crate) async fn books(&self) -> &Ledger {
        while self.desk.is_busy() {
            sleep(Duration::from_millis(10)).await;
        }
        &self.desk.ledger
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
