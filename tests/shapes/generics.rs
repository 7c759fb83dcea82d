//! Generics, lifetimes, `impl Trait`, aliases of `Result`.

use std::{
    error::Error,
    fmt::{Debug, Display},
    io,
    sync::atomic::{AtomicU32, Ordering},
};

use steadfast::{deadline, fault, retry};

use super::{Answer, Peer, Trouble, sent};

#[deadline("1m")]
#[retry]
async fn borrows<'a, 'b: 'a>(peer: &Peer, one: &'a str, other: &'b str) -> Answer<[&'a str; 2]> {
    peer.call()?;
    Ok([one, other])
}

#[retry]
async fn elided(peer: &Peer, items: &'static [u8]) -> Answer<&'static [u8]> {
    peer.call()?;
    Ok(items)
}

#[deadline("1m")]
#[retry]
async fn generic<T, E, const N: usize>(peer: &Peer, items: [T; N]) -> Result<(usize, T), E>
where
    T: Clone + Debug + Sync,
    E: From<Trouble> + From<steadfast::Error> + fault::Fault,
    for<'any> &'any T: PartialEq,
{
    peer.call()?;
    Ok((N, items[0].clone()))
}

#[retry]
async fn nameless(
    peer: &(impl AsRef<Peer> + ?Sized),
    mut items: impl Iterator<Item = u8> + Clone,
) -> Answer<impl Display> {
    let first = items.next();
    peer.as_ref().call()?;
    Ok(format!("{first:?}"))
}

#[deadline("1m")]
#[retry(max = 4)]
async fn calls_back<F, Fut>(peer: &Peer, call: F) -> Answer<u32>
where
    F: Fn(u32) -> Fut,
    Fut: Future<Output = Answer<u32>>,
{
    call(peer.call()?).await
}

#[retry]
async fn calls_async<F: AsyncFnMut(u32) -> Answer<u32>>(peer: &Peer, call: &mut F) -> Answer<u32> {
    call(peer.call()?).await
}

#[tokio::test(start_paused = true)]
async fn each_is_generic_as_it_was() {
    let peer = Peer::default;
    assert_eq!(sent(borrows(&peer(), "one", "other")).await, Ok(["one", "other"]));
    assert_eq!(sent(elided(&peer(), b"a")).await, Ok(&b"a"[..]));
    assert_eq!(sent(generic(&peer(), [7, 8])).await, Ok::<_, Trouble>((2, 7)));
    let boxed = Box::new(peer());
    let nameless = sent(nameless(&boxed, [7].into_iter())).await;
    assert_eq!(nameless.map(|shown| shown.to_string()), Ok("Some(7)".into()));
    assert_eq!(sent(calls_back(&peer(), async |call| Ok(call + 1))).await, Ok(4));
    assert_eq!(calls_async(&peer(), &mut async |call| Ok(call + 1)).await, Ok(4));
}

impl AsRef<Peer> for Peer {
    fn as_ref(&self) -> &Peer {
        self
    }
}

#[deadline("1m")]
#[retry(when = fault::in_chain)]
async fn any_error(peer: &Peer) -> anyhow::Result<u32> {
    use anyhow::Context;
    peer.call().map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused)).context("calling")
}

#[retry(when = any)]
#[deadline("1s")]
async fn boxed_error(peer: &Peer) -> Result<u32, Box<dyn Error + Send + Sync>> {
    Ok(peer.call()?)
}

#[retry(when = any)]
async fn unsendable_error(peer: &Peer) -> Result<u32, Box<dyn Error>> {
    Ok(peer.call()?)
}

#[deadline("1m")]
#[retry(when = any)]
async fn io_error(peer: &Peer) -> io::Result<u32> {
    peer.call().map_err(io::Error::other)
}

#[tokio::test(start_paused = true)]
async fn aliases_are_results_and_errors_keep_their_types() {
    assert_eq!(sent(any_error(&Peer::default())).await.unwrap(), 3);
    assert_eq!(sent(boxed_error(&Peer::default())).await.unwrap(), 3);
    assert_eq!(sent(unsendable_error(&Peer::default())).await.unwrap(), 3);
    assert_eq!(sent(io_error(&Peer::default())).await.unwrap(), 3);
}

#[retry(base = "0s")]
async fn fails<T>(calls: &AtomicU32) -> Answer<T> {
    calls.fetch_add(1, Ordering::Relaxed);
    Err(Trouble::Busy)
}

#[tokio::test(start_paused = true)]
async fn a_function_has_one_budget_whatever_its_types() {
    let calls = AtomicU32::new(0);
    for _ in 0..3 {
        assert_eq!(fails::<u8>(&calls).await, Err(Trouble::Busy));
        assert_eq!(fails::<u16>(&calls).await, Err(Trouble::Busy));
    }
    let retries = calls.into_inner() - 6;
    assert_eq!(retries, 10, "ten tokens at first, and six calls make no eleventh");
}
