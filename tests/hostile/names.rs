//! All the names that an expansion might be caught leaning on, each meaning something else, and
//! other names for what they usually mean.

#![allow(dead_code, unused_macros, clippy::redundant_pub_crate)]

pub(crate) use ::std::{
    boxed::Box as Boxed,
    convert::From as Becomes,
    future::Future as Promise,
    marker::Send as Movable,
    pin::Pin as Pinned,
    primitive::{bool as Truth, str as Slice, u32 as Number, usize as Length},
    result::Result::{self as Fallible, Err as Bad, Ok as Good},
    string::String as Text,
    sync::Arc as Shared,
    time::Duration as Span,
    vec::Vec as List,
};

/// Traits for their methods alone.
pub(crate) mod methods {
    pub(crate) use ::std::{clone::Clone as _, convert::From as _, iter::Iterator as _};
}

/// What stands in the prelude, and around it.
#[allow(non_camel_case_types)]
pub(crate) mod prelude {
    pub(crate) struct Box;
    pub(crate) struct Duration;
    pub(crate) struct Err;
    pub(crate) struct None;
    pub(crate) struct Ok;
    pub(crate) struct Option;
    pub(crate) struct Pin;
    pub(crate) struct Result;
    pub(crate) struct Some;
    pub(crate) struct String;
    pub(crate) struct Vec;
    pub(crate) struct bool;
    pub(crate) struct str;
    pub(crate) struct u32;
    pub(crate) struct u64;

    pub(crate) trait Clone {}
    pub(crate) trait Copy {}
    pub(crate) trait Drop {}
    pub(crate) trait Fn {}
    pub(crate) trait FnOnce {}
    pub(crate) trait From {}
    pub(crate) trait Future {}
    pub(crate) trait Into {}
    pub(crate) trait IntoFuture {}
    pub(crate) trait Iterator {}
    pub(crate) trait Send {}
    pub(crate) trait Sized {}
    pub(crate) trait Sync {}

    pub(crate) mod alloc {}
    pub(crate) mod core {}
    pub(crate) mod private {}
    pub(crate) mod std {}
    pub(crate) mod steadfast {}
    pub(crate) mod sturdy {}
    pub(crate) mod tokio {}
    pub(crate) mod v1 {}
}

/// What stands in the crate that expansions name.
pub(crate) mod runtime {
    pub(crate) struct Attempts;
    pub(crate) struct Backoff;
    pub(crate) struct Class;
    pub(crate) struct Deadline;
    pub(crate) struct Error;
    pub(crate) struct Fault;
    pub(crate) struct Jitter;
    pub(crate) struct Outcome;
    pub(crate) struct Retry;
    pub(crate) struct RetryBudget;
    pub(crate) struct Site;
}

/// A `let` of such a name would not bind, but match.
#[allow(non_upper_case_globals)]
pub(crate) mod values {
    pub(crate) const any: () = ();
    pub(crate) const attempts: () = ();
    pub(crate) const body: () = ();
    pub(crate) const budget: () = ();
    pub(crate) const by_fault: () = ();
    pub(crate) const fresh: () = ();
    pub(crate) const future: () = ();
    pub(crate) const never: () = ();
    pub(crate) const outcome: () = ();
    pub(crate) const result: () = ();
    pub(crate) const value: () = ();
    pub(crate) static deadline: () = ();
    pub(crate) static pause: () = ();
    pub(crate) static policy: () = ();
    pub(crate) static retry: () = ();
    pub(crate) static site: () = ();
    pub(crate) static wait: () = ();
    pub(crate) static within: () = ();
}

/// What an expansion needs to name a function.
pub(crate) mod macros {
    macro_rules! concat {
        ($($tokens:tt)*) => {
            ::std::compile_error!("not the `concat!` of the standard library")
        };
    }
    macro_rules! module_path {
        ($($tokens:tt)*) => {
            ::std::compile_error!("not the `module_path!` of the standard library")
        };
    }
    #[allow(unused_imports)]
    pub(crate) use {concat, module_path};
}
