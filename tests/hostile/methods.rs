//! Methods, with each kind of receiver, in types and in traits.

#[allow(unused_imports)]
use super::names::{macros::*, methods::*, prelude::*, runtime::*, values::*};
use super::{
    names::{Boxed, Good, Length, List, Number, Shared, Slice},
    trouble::Answer,
};

macro_rules! client {
    () => {
        /// Has methods.
        #[derive(::std::clone::Clone, ::std::fmt::Debug, ::std::default::Default)]
        #[non_exhaustive]
        pub struct Client<const N: Length> {
            /// What it has been told.
            pub told: List<Number>,
        }

        /// Must be told how.
        #[allow(async_fn_in_trait)]
        pub trait Required {
            /// Has no body here.
            async fn implemented(&self, more: Number) -> Answer<Number>;
        }
    };
}

macro_rules! methods_under_each_stack {
    (
        impl Client { $($own:item)* }
        trait Provided { $($provided:item)* }
        impl Required { $($required:item)* }
    ) => {
        /// Under `retry`.
        pub mod retried {
            use super::*;
            client!();

            impl<const N: Length> Client<N> {
                $(#[::sturdy::retry(crate = ::sturdy)] $own)*
            }

            /// Knows how.
            #[allow(async_fn_in_trait)]
            pub trait Provided {
                $(#[::sturdy::retry(crate = ::sturdy)] $provided)*
            }
            impl<const N: Length> Provided for Client<N> {}

            impl<const N: Length> Required for Client<N> {
                $(#[::sturdy::retry(crate = ::sturdy)] $required)*
            }
        }

        /// Under `deadline`.
        pub mod limited {
            use super::*;
            client!();

            impl<const N: Length> Client<N> {
                $(#[::sturdy::deadline("2s", crate = ::sturdy)] $own)*
            }

            /// Knows how.
            #[allow(async_fn_in_trait)]
            pub trait Provided {
                $(#[::sturdy::deadline("2s", crate = ::sturdy)] $provided)*
            }
            impl<const N: Length> Provided for Client<N> {}

            impl<const N: Length> Required for Client<N> {
                $(#[::sturdy::deadline("2s", crate = ::sturdy)] $required)*
            }
        }

        /// Under both.
        pub mod both {
            use super::*;
            client!();

            impl<const N: Length> Client<N> {
                $(
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    $own
                )*
            }

            /// Knows how.
            #[allow(async_fn_in_trait)]
            pub trait Provided {
                $(
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    $provided
                )*
            }
            impl<const N: Length> Provided for Client<N> {}

            impl<const N: Length> Required for Client<N> {
                $(
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    $required
                )*
            }
        }

        /// Under `circuit_breaker`.
        pub mod guarded {
            use super::*;
            client!();

            impl<const N: Length> Client<N> {
                $(
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $own
                )*
            }

            /// Knows how.
            #[allow(async_fn_in_trait)]
            pub trait Provided {
                $(
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $provided
                )*
            }
            impl<const N: Length> Provided for Client<N> {}

            impl<const N: Length> Required for Client<N> {
                $(
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $required
                )*
            }
        }

        /// Under all that can stand over any function.
        pub mod all {
            use super::*;
            client!();

            impl<const N: Length> Client<N> {
                $(
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $own
                )*
            }

            /// Knows how.
            #[allow(async_fn_in_trait)]
            pub trait Provided {
                $(
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $provided
                )*
            }
            impl<const N: Length> Provided for Client<N> {}

            impl<const N: Length> Required for Client<N> {
                $(
                    #[::sturdy::deadline("2s", crate = ::sturdy)]
                    #[::sturdy::retry(crate = ::sturdy)]
                    #[::sturdy::circuit_breaker(crate = ::sturdy)]
                    $required
                )*
            }
        }
    };
}

methods_under_each_stack! {
    impl Client {
        /// Borrows.
        pub async fn borrows<'a>(&'a self, more: &Slice) -> Answer<(&'a [Number], Length)> {
            Good((self.told.as_slice(), more.len()))
        }

        /// Changes.
        pub async fn changes(&mut self, mut number: Number) -> Answer<&'static Slice> {
            number += 1;
            self.told.push(number);
            Good("told")
        }

        /// Is used up.
        pub async fn owned(self) -> Answer<Self> {
            Good(self.clone())
        }

        /// Is shared.
        pub async fn shared(self: Shared<Self>) -> Answer<Length> {
            Good(self.told.len() + Shared::strong_count(&self))
        }

        /// Is in a box.
        pub async fn boxed(self: Boxed<Self>) -> Answer<Length> {
            Good(self.told.len())
        }

        /// Is pinned.
        pub async fn pinned(mut self: ::std::pin::Pin<&mut Self>) -> Answer<Length> {
            self.as_mut().get_mut().told.push(3);
            Good(self.told.len())
        }

        /// Has no receiver.
        pub async fn made(first: Number) -> Answer<Self> {
            let told = List::from([first]);
            Good(Self { told })
        }
    }

    trait Provided {
        /// Has a body here.
        async fn provided(&self, mut number: Number) -> Answer<Number> {
            number += 1;
            Good(number)
        }
    }

    impl Required {
        async fn implemented(&self, mut more: Number) -> Answer<Number> {
            more += self.told.iter().sum::<Number>();
            Good(more)
        }
    }
}
