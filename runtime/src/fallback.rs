//! What [`#[fallback]`](macro@crate::fallback) runs on.

pub(crate) mod failure;
pub(crate) mod stale;
pub(crate) mod tier;

#[doc(hidden)]
pub const __STEADFAST: () = ();
