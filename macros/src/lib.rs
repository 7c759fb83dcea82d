//! The attribute macros of [steadfast]. Use them through that crate, which re-exports them beside
//! the runtime that they expand to.
//!
//! [steadfast]: https://docs.rs/steadfast

use proc_macro::TokenStream;

mod args;
mod duration;
mod expand;
mod fault;
mod func;
mod nearest;
mod policy;
mod stack;
mod tokens;
mod value;

#[cfg(test)]
mod tests;

#[doc = include_str!("../docs/deadline.md")]
#[proc_macro_attribute]
pub fn deadline(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("deadline", args.into(), item.into()).into()
}

#[doc = include_str!("../docs/retry.md")]
#[proc_macro_attribute]
pub fn retry(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::expand("retry", args.into(), item.into()).into()
}

#[doc = include_str!("../docs/fault.md")]
#[proc_macro_derive(Fault, attributes(fault))]
pub fn fault(item: TokenStream) -> TokenStream {
    fault::derive(item.into()).into()
}
