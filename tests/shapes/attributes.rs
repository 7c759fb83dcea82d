//! Attributes beside ours, and ways to write ours.

#![deny(unused)]

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Answer, Peer, Trouble, sent};

mod imported {
    use steadfast::deadline;
    use steadfast::retry;

    #[deadline("1m")]
    #[retry]
    pub(super) async fn siblings(peer: &super::Peer) -> super::Answer<u32> {
        peer.call()
    }
}

mod imported_as_another {
    use steadfast::retry as again;

    #[again]
    #[steadfast::deadline("1m")]
    pub(super) async fn topmost(peer: &super::Peer) -> super::Answer<u32> {
        peer.call()
    }
}

mod imported_by_glob {
    use steadfast::*;

    #[deadline("1m")]
    #[retry]
    pub(super) async fn siblings(peer: &super::Peer) -> super::Answer<u32> {
        peer.call()
    }
}

#[::steadfast::deadline("1m")]
#[steadfast::retry]
async fn by_path(peer: &Peer) -> Answer<u32> {
    peer.call()
}

#[steadfast::deadline("1m")]
#[cfg_attr(test, steadfast::retry(max = 3), inline)]
#[cfg_attr(not(test), no_such_attribute)]
async fn conditional_sibling(peer: &Peer) -> Answer<u32> {
    peer.call()
}

#[cfg_attr(test, steadfast::retry)]
#[cfg(test)]
async fn conditional_topmost(peer: &Peer) -> Answer<u32> {
    peer.call()
}

#[steadfast::retry]
#[cfg(not(test))]
async fn conditional_topmost(peer: &Peer) -> NoSuchType {}

#[inline]
#[allow(clippy::unused_async)]
#[steadfast::deadline("1m")]
#[cold]
#[steadfast::retry]
#[expect(unused_variables, reason = "the expansion keeps lints where they stand")]
async fn among_others(peer: &Peer) -> Answer<u32> {
    let unused = 1;
    peer.call()
}

mod inside_a_function {
    pub(super) async fn outer(peer: &super::Peer) -> super::Answer<u32> {
        use steadfast::{deadline, retry};

        #[deadline("1m")]
        #[retry]
        async fn inner(peer: &super::Peer) -> super::Answer<u32> {
            peer.call()
        }
        inner(peer).await
    }
}

#[tokio::test(start_paused = true)]
async fn each_way_to_write_them() {
    let peer = Peer::default;
    assert_eq!(sent(imported::siblings(&peer())).await, Ok(3));
    assert_eq!(sent(imported_as_another::topmost(&peer())).await, Ok(3));
    assert_eq!(sent(imported_by_glob::siblings(&peer())).await, Ok(3));
    assert_eq!(sent(by_path(&peer())).await, Ok(3));
    assert_eq!(sent(conditional_sibling(&peer())).await, Ok(3));
    assert_eq!(sent(conditional_topmost(&peer())).await, Ok(3));
    assert_eq!(sent(among_others(&peer())).await, Ok(3));
    assert_eq!(sent(inside_a_function::outer(&peer())).await, Ok(3));
}

mod visible {
    use super::{Answer, Peer};

    /// Is documented.
    #[must_use = "for the test"]
    #[deprecated = "for the test"]
    #[steadfast::deadline("1m")]
    #[steadfast::retry]
    pub(in crate::shapes) async fn kept(peer: &Peer) -> Answer<u32> {
        peer.call()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_function_is_kept() {
    #[expect(deprecated, unused_must_use, reason = "both attributes are still on the function")]
    {
        visible::kept(&Peer::default());
    }
}

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

#[steadfast::retry]
#[tokio::test(start_paused = true)]
async fn a_test_may_be_retried() -> Result<(), Trouble> {
    match ATTEMPTS.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Trouble::Busy),
        _ => Ok(()),
    }
}
