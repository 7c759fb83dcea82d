//! What an annotated function drops, and when, is what the plain one does. Run in both editions:
//! they differ in when the temporaries of a tail expression go.

use std::{
    cell::RefCell,
    future::Future,
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use core::{runtime::Builder, time::timeout};

/// Says when it is dropped.
struct Noisy(&'static str);

impl Noisy {
    fn name(&self) -> io::Result<&'static str> {
        Ok(self.0)
    }

    fn maybe(&self, some: bool) -> Option<&'static str> {
        some.then_some(self.0)
    }

    async fn rest(&self) -> io::Result<()> {
        core::task::yield_now().await;
        Ok(())
    }

    async fn hang(&self) -> io::Result<&'static str> {
        std::future::pending().await
    }
}

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0));
    }
}

thread_local! {
    static DROPPED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// What a call drops, in order. One that hangs is dropped itself after an hour.
fn dropped<T>(call: impl Future<Output = io::Result<T>>) -> Vec<&'static str> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let hour = Duration::from_secs(3600);
    let outcome = runtime.expect("a runtime").block_on(async { timeout(hour, call).await });
    DROPPED
        .with_borrow_mut(|dropped| dropped.push(if outcome.is_ok() { "done" } else { "cut off" }));
    DROPPED.take()
}

/// Compares a function with itself under each of the stacks named.
macro_rules! same_order {
    ($name:ident in [$($stack:ident)+], called with $arguments:tt: $function:item) => {
        #[test]
        fn $name() {
            mod plain {
                #[allow(unused_imports)]
                use super::*;
                $function
            }
            $(mod $stack {
                #[allow(unused_imports)]
                use super::*;
                annotated!($stack $function);
            })+
            let plain = dropped(plain::call $arguments);
            $(assert_eq!(dropped($stack::call $arguments), plain, stringify!($stack));)+
        }
    };
}

macro_rules! annotated {
    (retried $function:item) => {
        #[sturdy::retry(crate = sturdy)]
        $function
    };
    (limited $function:item) => {
        #[sturdy::deadline("2h", crate = sturdy)]
        $function
    };
    (both $function:item) => {
        #[sturdy::deadline("3h", crate = sturdy)]
        #[sturdy::retry(crate = sturdy)]
        #[sturdy::deadline("2h", crate = sturdy)]
        $function
    };
    (guarded $function:item) => {
        #[sturdy::circuit_breaker(crate = sturdy)]
        $function
    };
    (fallen $function:item) => {
        #[sturdy::fallback(stale = "5m", key = (), crate = sturdy)]
        $function
    };
    (keyed $function:item) => {
        #[sturdy::idempotent(key = fresh(), fresh_key, scope = "call", crate = sturdy)]
        $function
    };
    (all $function:item) => {
        #[sturdy::deadline("3h", crate = sturdy)]
        #[sturdy::fallback(expr = "other", crate = sturdy)]
        #[sturdy::retry(crate = sturdy)]
        #[sturdy::circuit_breaker(crate = sturdy)]
        #[sturdy::deadline("2h", crate = sturdy)]
        $function
    };
}

/// Another one in each call.
fn fresh() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

#[test]
fn the_editions_differ() {
    async fn call() -> io::Result<&'static str> {
        let _local = Noisy("local");
        Noisy("temporary").name()
    }
    let order = match env!("CARGO_PKG_NAME") {
        "steadfast-hostile2021" => ["local", "temporary", "done"],
        _ => ["temporary", "local", "done"],
    };
    assert_eq!(dropped(call()), order);
}

same_order! {
    tail_temporaries in [retried limited both guarded fallen all], called with (Noisy("argument")):
    pub(super) async fn call(_argument: Noisy) -> io::Result<&'static str> {
        let _local = Noisy("local");
        Noisy("temporary").name()
    }
}

same_order! {
    tail_temporaries_of_inner_blocks in [retried limited both guarded fallen all], called with ():
    pub(super) async fn call() -> io::Result<&'static str> {
        let _outer = Noisy("outer");
        let _bound = {
            let _inner = Noisy("inner");
            Noisy("inner temporary").name()?
        };
        match Noisy("scrutinee").name() {
            Ok("scrutinee") => {
                let _arm = Noisy("arm");
                Noisy("arm temporary").name()
            }
            other => other,
        }
    }
}

same_order! {
    temporaries_of_if_let in [retried limited both guarded fallen all], called with ():
    pub(super) async fn call() -> io::Result<&'static str> {
        if let Some(name) = Noisy("condition").maybe(false) {
            Ok(name)
        } else {
            let _otherwise = Noisy("otherwise");
            Noisy("temporary").name()
        }
    }
}

same_order! {
    arguments_that_are_read in [retried limited both guarded fallen all],
    called with (Noisy("a"), Noisy("b"), (Noisy("c"), Noisy("d")), Noisy("e")):
    pub(super) async fn call(
        a: Noisy,
        _b: Noisy,
        (c, d): (Noisy, Noisy),
        e: Noisy,
    ) -> io::Result<&'static str> {
        let _local = Noisy("local");
        d.rest().await?;
        c.rest().await?;
        e.rest().await?;
        a.name()
    }
}

// A deadline takes along what has a name, so what has none is dropped after the rest.
same_order! {
    arguments_without_a_name in [retried],
    called with (Noisy("a"), (Noisy("b"), Noisy("c")), Noisy("d")):
    pub(super) async fn call(
        a: Noisy,
        (b, _): (Noisy, Noisy),
        _: Noisy,
    ) -> io::Result<&'static str> {
        b.rest().await?;
        a.name()
    }
}

same_order! {
    arguments_that_are_moved in [limited guarded fallen], called with (Noisy("a"), Noisy("b"), Noisy("c")):
    pub(super) async fn call(a: Noisy, b: Noisy, c: Noisy) -> io::Result<&'static str> {
        let _local = Noisy("local");
        b.rest().await?;
        drop(b);
        let c = c;
        Noisy("temporary").rest().await?;
        a.name().and(c.name())
    }
}

same_order! {
    arguments_that_may_be_moved in [limited guarded fallen],
    called with (Noisy("a"), Noisy("b"), Noisy("c"), Noisy("d")):
    pub(super) async fn call(a: Noisy, b: Noisy, c: Noisy, d: Noisy) -> io::Result<&'static str> {
        if a.0.is_empty() {
            drop(a);
            drop(c);
        }
        b.rest().await?;
        d.name()
    }
}

same_order! {
    arguments_taken_apart in [limited guarded fallen],
    called with ((Noisy("a"), Noisy("b")), [Noisy("c"), Noisy("d")]):
    pub(super) async fn call(
        pair: (Noisy, Noisy),
        [c, mut d]: [Noisy; 2],
    ) -> io::Result<&'static str> {
        let second = pair.1;
        d.rest().await?;
        d = Noisy("new d");
        second.rest().await?;
        c.name().and(d.name())
    }
}

same_order! {
    early_return in [retried limited both guarded fallen all], called with (Noisy("a"), Noisy("b")):
    pub(super) async fn call(a: Noisy, b: Noisy) -> io::Result<&'static str> {
        let _first = Noisy("first");
        if Noisy("condition").maybe(true).is_some() {
            return Noisy("returned").name().and(b.name());
        }
        let _second = Noisy("second");
        a.name()
    }
}

same_order! {
    question_mark in [retried limited both guarded fallen all], called with (Noisy("a")):
    pub(super) async fn call(a: Noisy) -> io::Result<&'static str> {
        let _first = Noisy("first");
        Noisy("asked").maybe(false).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let _second = Noisy("second");
        a.name()
    }
}

same_order! {
    cancelled in [retried limited both guarded fallen all], called with (Noisy("a"), Noisy("b"), Noisy("c")):
    pub(super) async fn call(a: Noisy, _b: Noisy, c: Noisy) -> io::Result<&'static str> {
        let _local = Noisy("local");
        c.rest().await?;
        Noisy("temporary").hang().await?;
        a.name()
    }
}

same_order! {
    cancelled_with_moved_arguments in [limited guarded fallen], called with (Noisy("a"), Noisy("b"), Noisy("c")):
    pub(super) async fn call(a: Noisy, b: Noisy, c: Noisy) -> io::Result<&'static str> {
        let _local = Noisy("local");
        let b = b;
        c.rest().await?;
        if b.hang().await.is_ok() {
            drop(a);
        }
        b.name()
    }
}

same_order! {
    a_future_that_is_returned in [retried limited both guarded fallen all], called with (Noisy("a"), Noisy("b")):
    pub(super) fn call(a: Noisy, _b: Noisy) -> impl Future<Output = io::Result<&'static str>> {
        let before = Noisy("before");
        async move {
            let _local = Noisy("local");
            before.rest().await?;
            Noisy("temporary").name().and(a.name())
        }
    }
}

// What is kept for duplicates has to be owned, so these return a length.
same_order! {
    keyed_temporaries in [keyed], called with (Noisy("argument")):
    pub(super) async fn call(_argument: Noisy) -> io::Result<usize> {
        let _local = Noisy("local");
        Noisy("temporary").name().map(str::len)
    }
}

same_order! {
    keyed_arguments in [keyed], called with (Noisy("a"), Noisy("b"), (Noisy("c"), Noisy("d")), Noisy("e")):
    pub(super) async fn call(
        a: Noisy,
        _b: Noisy,
        (c, d): (Noisy, Noisy),
        e: Noisy,
    ) -> io::Result<usize> {
        let _local = Noisy("local");
        d.rest().await?;
        drop(d);
        let c = c;
        c.rest().await?;
        e.rest().await?;
        a.name().map(str::len)
    }
}

same_order! {
    keyed_and_cancelled in [keyed], called with (Noisy("a"), Noisy("b"), Noisy("c")):
    pub(super) async fn call(a: Noisy, _b: Noisy, c: Noisy) -> io::Result<usize> {
        let _local = Noisy("local");
        let c = c;
        c.rest().await?;
        Noisy("temporary").hang().await?;
        a.name().map(str::len)
    }
}
