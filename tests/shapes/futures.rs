//! Functions that return a future, written without `async`, and futures that call themselves.

#![allow(clippy::manual_async_fn)]

use std::{future::Future, pin::Pin};

use steadfast::{deadline, retry};

use super::{Answer, Peer, sent};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
type AnswerFuture<T> = Pin<Box<dyn Future<Output = Answer<T>> + Send>>;
type OwnedBoxFuture<T> = BoxFuture<'static, T>;
type Task<'a, T> = BoxFuture<'a, Answer<T>>;

#[deadline("1m")]
#[retry]
fn nameless(peer: &Peer, mut own: Vec<u32>) -> impl Future<Output = Answer<u32>> + Send {
    async move {
        own.push(1);
        assert_eq!(own.len(), 1);
        let call = peer.call()?;
        Ok(call)
    }
}

#[retry]
fn prepares(peer: Peer, mut own: u32) -> impl Future<Output = Answer<u32>> + Send + use<> {
    let twice = own * 2;
    let peers = [peer];
    async move {
        own += twice;
        peers[0].call()?;
        Ok(own)
    }
}

#[deadline("1m")]
#[retry]
fn pinned<'a>(
    peer: &'a Peer,
    mut own: u32,
) -> Pin<Box<dyn Future<Output = Result<u32, super::Trouble>> + Send + 'a>> {
    Box::pin(async move {
        own += 1;
        let call = peer.call()?;
        Ok(call + own)
    })
}

#[retry]
#[deadline("1s")]
fn alias<'a>(peer: &'a Peer, name: &'a str) -> BoxFuture<'a, Answer<(u32, &'a str)>> {
    Box::pin(async move {
        let call = peer.call()?;
        Ok((call, name))
    })
}

#[retry]
fn local_alias(peer: &Peer) -> LocalBoxFuture<'_, Answer<u32>> {
    Box::pin(async move { peer.call() })
}

#[retry]
fn alias_of_one(peer: Peer) -> AnswerFuture<u32> {
    Box::pin(async move {
        let call = peer.call()?;
        Ok(call)
    })
}

#[retry]
fn alias_without_lifetime(peer: Peer) -> OwnedBoxFuture<Result<u32, super::Trouble>> {
    Box::pin(async move {
        let call = peer.call()?;
        Ok(call)
    })
}

#[deadline("1m")]
#[retry]
fn alias_by_any_name(peer: &Peer) -> Task<'_, u32> {
    Box::pin(async move {
        let call = peer.call()?;
        Ok(call)
    })
}

#[tokio::test(start_paused = true)]
async fn each_way_to_return_a_future() {
    let peer = Peer::default;
    assert_eq!(sent(nameless(&peer(), vec![])).await, Ok(3));
    assert_eq!(sent(prepares(peer(), 1)).await, Ok(3));
    assert_eq!(sent(pinned(&peer(), 1)).await, Ok(5));
    assert_eq!(sent(alias(&peer(), "name")).await, Ok((3, "name")));
    assert_eq!(local_alias(&peer()).await, Ok(3));
    assert_eq!(sent(alias_of_one(peer())).await, Ok(3));
    assert_eq!(sent(alias_without_lifetime(peer())).await, Ok(3));
    assert_eq!(sent(alias_by_any_name(&peer())).await, Ok(3));
}

#[deadline("1m")]
#[retry(budget = none)]
async fn recurses(peer: &Peer, depth: u32) -> Answer<u32> {
    if depth > 0 {
        return Ok(1 + Box::pin(recurses(peer, depth - 1)).await?);
    }
    peer.call()
}

#[tokio::test(start_paused = true)]
async fn recursion_through_a_box() {
    assert_eq!(recurses(&Peer::default(), 4).await, Ok(7));
}

#[deadline("1m")]
#[retry]
async fn sends_on(peer: std::sync::Arc<Peer>) -> Answer<u32> {
    let task = tokio::spawn(sends_on_once(peer.clone()));
    task.await.expect("it does not panic")
}

#[deadline("1m")]
async fn sends_on_once(peer: std::sync::Arc<Peer>) -> Answer<u32> {
    let call = tokio::spawn(async move { peer.call() });
    call.await.expect("it does not panic")
}

#[tokio::test(start_paused = true)]
async fn on_other_tasks() {
    let call = tokio::spawn(sends_on(Peer::default().into()));
    assert_eq!(call.await.unwrap(), Ok(3));
}
