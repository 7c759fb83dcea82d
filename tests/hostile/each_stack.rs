//! Writes a function once for each stack of attributes. The functions' tokens keep their places, so
//! that lints take them for handwritten.

/// Input:  `fn a(..) ..`, `fn b(..) ..`
/// Output: `mod retried { #[retry] fn a(..) .. #[retry] fn b(..) .. }`, and likewise `mod limited`
///         with `#[deadline]`, `mod both`, `mod guarded` with `#[circuit_breaker]`, and `mod all`
macro_rules! under_each_stack {
    ($($function:item)*) => {
        /// Under `retry`.
        pub mod retried {
            use super::*;
            $(
                #[::sturdy::retry(crate = ::sturdy)]
                $function
            )*
        }

        /// Under `deadline`.
        pub mod limited {
            use super::*;
            $(
                #[::sturdy::deadline("2s", crate = ::sturdy)]
                $function
            )*
        }

        /// Under both, and each attempt under one more.
        pub mod both {
            use super::*;
            $(
                #[::sturdy::deadline("2s", crate = ::sturdy)]
                #[::sturdy::retry(crate = ::sturdy)]
                #[::sturdy::deadline("1s", crate = ::sturdy)]
                $function
            )*
        }

        /// Under `circuit_breaker`.
        pub mod guarded {
            use super::*;
            $(
                #[::sturdy::circuit_breaker(crate = ::sturdy)]
                $function
            )*
        }

        /// Under all that can stand over any function.
        pub mod all {
            use super::*;
            $(
                #[::sturdy::deadline("2s", crate = ::sturdy)]
                #[::sturdy::retry(crate = ::sturdy)]
                #[::sturdy::circuit_breaker(crate = ::sturdy)]
                #[::sturdy::deadline("1s", crate = ::sturdy)]
                $function
            )*
        }
    };
}
