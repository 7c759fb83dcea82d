//! All that expansions name, and nothing else. Not covered by semantic versioning: the macros are
//! pinned to the version of this crate that they were made for.

/// The version of what expansions name. It moves when a name changes its meaning.
pub mod v1 {
    pub use core::{
        clone::Clone, concat, module_path, option::Option, pin::pin as std_pin, result::Result,
        time::Duration,
    };

    pub use crate::{
        __pin as pin,
        circuit_breaker::{
            CircuitBreaker, Window,
            guarded::{gate, gate_per, guarded, handle, judged, lasting},
        },
        deadline::{Deadline, within::within},
        fallback::{
            failure::{Failure, On, failure},
            stale::{Kept, Stale},
        },
        fault::{Class, Fault, Hint},
        idempotent::{
            Idempotent, OnDuplicate, OnInterrupted, OnStoreError, Store,
            call::{Call, fingerprint, key, key_of_tenant, no_fingerprint, store},
            default_store,
            result::Errors,
            run::{Run, begin, detached, no_error},
            run_in::{CallIn, RunIn, begin_in, connection, store_in},
            truth::truth,
        },
        pinned::Pinned,
        refusals::{Refusals, refused},
        retry::{
            Backoff, Jitter, Retry, RetryBudget,
            attempts::{Attempts, Rules, any, by_fault, no_value},
            budget::shared,
            fresh::fresh,
            pause::pause,
        },
        site::Site,
    };
}
