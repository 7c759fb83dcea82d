//! What a body may do.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering},
};

use steadfast::{deadline, retry};

use super::{Answer, Peer, sent};

#[deadline("1m")]
#[retry]
async fn leaves_early(peer: &Peer, early: bool) -> Answer<u32> {
    for _ in 0..2 {
        if early {
            return peer.call();
        }
    }
    let call = peer.call()?;
    Ok(call + 1)
}

#[retry]
#[deadline("1m")]
async fn returns_and_ends_in_nothing(peer: &Peer) -> Answer<u32> {
    return peer.call();
}

#[deadline("1m")]
#[retry]
async fn loops(peer: &Peer) -> Answer<u32> {
    loop {
        match peer.call() {
            Ok(call) => break Ok(call),
            Err(_) if peer.calls.load(Ordering::Relaxed) == 1 => {}
            Err(trouble) => return Err(trouble),
        }
    }
}

#[rustfmt::skip]
#[retry]
async fn one_expression(peer: &Peer) -> Answer<u32> { peer.call() }

#[retry]
async fn never_comes_back(peer: &Peer) -> Answer<std::convert::Infallible> {
    peer.call()?;
    std::future::pending().await
}

#[deadline("1m")]
#[retry]
async fn begins_with_items(peer: &Peer) -> Answer<u32> {
    use self::other::call;
    const MAX: u32 = 1;
    fn plus(call: u32) -> u32 {
        call + MAX
    }
    call(peer).map(plus)
}

mod other {
    pub(super) fn call(peer: &super::Peer) -> super::Answer<u32> {
        peer.call()
    }
}

#[deadline("1m")]
#[retry]
async fn shadows(peer: &Peer) -> Answer<u32> {
    #[derive(PartialEq)]
    enum Result {
        Ok,
        Err,
    }
    mod std {}
    mod steadfast {}
    let (attempts, outcome, wait) = (Result::Ok, Result::Err, 1);
    match peer.call() {
        _ if attempts == outcome => core::result::Result::Ok(0),
        core::result::Result::Ok(call) => core::result::Result::Ok(call + wait),
        core::result::Result::Err(trouble) => core::result::Result::Err(trouble),
    }
}

#[deadline("1m")]
#[retry]
async fn attribute_inside(peer: &Peer) -> Answer<u32> {
    #![allow(unused_variables, clippy::let_and_return)]
    let unused = 1;
    let call = peer.call();
    call
}

#[deadline("1m")]
#[retry]
async fn annotates_inside(peer: &Peer) -> Answer<u32> {
    #[retry(max = 2)]
    async fn inner(peer: &Peer) -> Answer<u32> {
        peer.call()
    }
    let inner_closure = async || inner(peer).await;
    inner_closure().await
}

#[tokio::test(start_paused = true)]
async fn each_body() {
    let peer = Peer::default;
    assert_eq!(sent(leaves_early(&peer(), true)).await, Ok(3));
    assert_eq!(sent(leaves_early(&peer(), false)).await, Ok(4));
    assert_eq!(sent(returns_and_ends_in_nothing(&peer())).await, Ok(3));
    assert_eq!(sent(loops(&peer())).await, Ok(3));
    assert_eq!(sent(one_expression(&peer())).await, Ok(3));
    assert_eq!(sent(begins_with_items(&peer())).await, Ok(3 + 1));
    assert_eq!(sent(shadows(&peer())).await, Ok(4));
    assert_eq!(sent(attribute_inside(&peer())).await, Ok(3));
    assert_eq!(sent(annotates_inside(&peer())).await, Ok(3));
    let week = std::time::Duration::from_secs(7 * 24 * 3600);
    assert!(tokio::time::timeout(week, sent(never_comes_back(&peer()))).await.is_err());
}

#[deadline("1m")]
#[retry]
async fn holds_what_is_not_send(peer: &Peer) -> Answer<u32> {
    let calls = Rc::new(RefCell::new(Vec::new()));
    calls.borrow_mut().push(peer.call()?);
    tokio::task::yield_now().await;
    Ok(calls.take()[0])
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_not_send_still_runs() {
    assert_eq!(holds_what_is_not_send(&Peer::default()).await, Ok(3));
}

#[deadline("1m")]
#[retry]
async fn panics(peer: &Peer) -> Answer<u32> {
    assert!(peer.call().is_ok(), "it has failed");
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_retried() {
    let peer = Arc::new(Peer::default());
    let call = tokio::spawn({
        let peer = peer.clone();
        async move { panics(&peer).await }
    });
    assert!(call.await.is_err_and(|error| error.is_panic()));
    assert_eq!(peer.calls.load(Ordering::Relaxed), 1);
}
