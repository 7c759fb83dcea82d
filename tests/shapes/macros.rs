//! Functions that a `macro_rules!` macro writes, from fragments of every kind.

use steadfast::{deadline, retry};

use super::{Answer, Peer, Trouble, sent};

/// What a crate does that lets its users do without a dependency of their own.
mod reexported {
    pub(super) extern crate steadfast;
}

macro_rules! function {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($peer:ident: $type:ty) -> $answer:ty $body:block
    ) => {
        #[deadline("1m")]
        #[retry]
        $(#[$attribute])*
        $visibility async fn $name($peer: $type) -> $answer $body
    };
}

function! {
    /// Is documented.
    #[allow(clippy::needless_return)]
    pub(super) fn by_block(peer: &Peer) -> Answer<u32> {
        return peer.call();
    }
}

macro_rules! item {
    ($max:expr, $base:literal, $limit:expr, $when:path, $argument:pat, $peer:expr, $function:item) => {
        #[retry(max = $max, base = $base, when = $when)]
        $function

        #[deadline($limit)]
        #[retry(max = $max, clone(peer))]
        async fn by_pattern($argument: (&Peer, u32), mut peer: u32) -> Result<u32, Trouble> {
            peer += 1;
            $peer.call().map(|call| call + peer)
        }
    };
}

item! { 1 + 2, "10ms", "1m", Trouble::passes, (peer_of_mine, _), peer_of_mine,
    async fn by_item(peer: &Peer, mut own: u32) -> Answer<u32> {
        own += 1;
        Ok(peer.call()? + own)
    }
}

impl Trouble {
    fn passes(&self) -> bool {
        *self == Self::Busy
    }
}

macro_rules! future {
    ($answer:ty, $future:ty, $body:expr) => {
        #[retry]
        fn by_future_type(peer: Peer) -> std::pin::Pin<Box<dyn Future<Output = $answer> + Send>> {
            Box::pin(async move {
                Ok(1 + {
                    let call = peer.call()?;
                    call
                })
            })
        }

        #[retry]
        fn by_whole_type(peer: Peer) -> $future {
            Box::pin(async move {
                let call = peer.call()?;
                Ok(call)
            })
        }

        #[retry]
        async fn by_expression(peer: Peer) -> $answer {
            $body(&peer)
        }
    };
}

future! {
    Answer<u32>,
    std::pin::Pin<Box<dyn Future<Output = Answer<u32>> + Send>>,
    Peer::call
}

/// A name of the macro's own beside one of its caller's.
macro_rules! hygienic {
    ($number:ident) => {
        #[retry(crate = reexported::steadfast)]
        #[reexported::steadfast::deadline("1m")]
        async fn hygienic(peer: &Peer, mut number: u32, mut $number: u32) -> Answer<(u32, u32)> {
            number += 1;
            $number += 10;
            peer.call()?;
            Ok((number, $number))
        }
    };
}

hygienic!(number);

macro_rules! whole_client {
    ($($type:ident<$parameter:ident>),*) => {
        $(
            #[derive(Default)]
            struct $type<$parameter>(Peer, std::marker::PhantomData<$parameter>);

            impl<$parameter: Sync> $type<$parameter> {
                #[deadline("1m", crate = $crate::shapes::macros::reexported::steadfast)]
                #[retry]
                async fn call(&self) -> Answer<u32> {
                    self.0.call()
                }
            }
        )*
    };
}

whole_client!(One<T>, Other<U>);

#[tokio::test(start_paused = true)]
async fn each_fragment() {
    let peer = Peer::default;
    assert_eq!(sent(by_block(&peer())).await, Ok(3));
    assert_eq!(sent(by_item(&peer(), 1)).await, Ok(5));
    assert_eq!(sent(by_pattern((&peer(), 1), 1)).await, Ok(5));
    assert_eq!(sent(by_future_type(peer())).await, Ok(4));
    assert_eq!(sent(by_whole_type(peer())).await, Ok(3));
    assert_eq!(sent(by_expression(peer())).await, Ok(3));
    assert_eq!(sent(hygienic(&peer(), 1, 10)).await, Ok((2, 20)));
    assert_eq!(sent(One::<u8>::default().call()).await, Ok(3));
    assert_eq!(sent(Other::<u8>::default().call()).await, Ok(3));
}
