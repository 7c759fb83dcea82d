//! What [`#[fallback]`](macro@crate::fallback) runs on. There is nothing in it to name: the attribute's
//! page has it all.

pub(crate) mod failure;
pub(crate) mod stale;
pub(crate) mod tier;

#[doc(hidden)]
pub const __STEADFAST: () = ();
