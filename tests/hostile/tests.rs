//! The functions do what they say, under each stack.

use std::{future::Future, pin::Pin, sync};

use core::runtime::Builder;

use crate::hostile::functions::Pair;
use crate::hostile::keyed::{self, Till};
use crate::hostile::settings::{self, Settings};
use crate::hostile::trouble::Trouble;

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future)
}

/// One test for each stack, in which its functions are called what they are in every other.
macro_rules! under_each_stack {
    ($test:ident: $($checks:tt)*) => {
        mod $test {
            use super::*;

            #[test]
            fn retried() {
                run(async {
                    use crate::hostile::$test::retried::*;
                    $($checks)*
                });
            }

            #[test]
            fn limited() {
                run(async {
                    use crate::hostile::$test::limited::*;
                    $($checks)*
                });
            }

            #[test]
            fn both() {
                run(async {
                    use crate::hostile::$test::both::*;
                    $($checks)*
                });
            }

            #[test]
            fn guarded() {
                run(async {
                    use crate::hostile::$test::guarded::*;
                    $($checks)*
                });
            }

            #[test]
            fn all() {
                run(async {
                    use crate::hostile::$test::all::*;
                    $($checks)*
                });
            }
        }
    };
}

macro_rules! all_are {
    ($($call:expr_2021 => $expected:expr_2021;)*) => {
        $(assert_eq!($call.await, $expected);)*
    };
}

under_each_stack! { functions:
    let mut told = Vec::new();
    all_are! {
        borrows("text") => Ok("text");
        borrows("") => Err(Trouble::Broken(1));
        owns(String::from("text")) => Ok(4);
        guards(String::from("text"), Vec::new()) => Ok(4);
        changes(&mut told) => Ok(1);
        changes_own(Vec::from([1, 2])) => Ok(3);
        patterns((1, 2), Pair { one: 3, other: 4 }, [5, 6, 7], String::new(), &8) => Ok(26);
        conditional(1, 2) => Ok(3);
        generic(&["one"], "or") => Ok((1, "or"));
        recurses(3) => Ok(7);
        leaves(Ok(1), false) => Ok(2);
        leaves(Err(Trouble::Broken(1)), false) => Err(Trouble::Broken(1));
        leaves(Ok(1), true) => Ok(1);
        shadows() => Err(Trouble::Broken(7));
        attributes(1) => Ok(2);
        forwards() => Err(Trouble::Broken(7));
        r#type("type", 1) => Ok(4);
        narrow() => Ok(());
    }
    let nameless = nameless([7_u32].into_iter()).await.map(|number| format!("{number}"));
    assert_eq!(nameless, Ok(String::from("7")));
}

under_each_stack! { futures:
    let text = String::from("text");
    all_are! {
        nameless("text") => Ok("text");
        owns(text.clone(), Vec::new()) => Ok(text.clone());
        prepares("text") => Ok(text.clone());
        boxed("text") => Ok(text.clone());
        aliased("text", 1) => Ok(text);
    }
}

under_each_stack! { methods:
    let mut client = Client::<2>::made(1).await.unwrap();
    all_are! {
        client.borrows("text") => Ok((&[1][..], 4));
        client.changes(1) => Ok("told");
        client.borrows("") => Ok((&[1, 2][..], 0));
        client.provided(1) => Ok(2);
        client.implemented(1) => Ok(4);
        Pin::new(&mut client.clone()).pinned() => Ok(3);
        Box::new(client.clone()).boxed() => Ok(2);
        sync::Arc::new(client.clone()).shared() => Ok(3);
    }
    assert_eq!(client.owned().await.unwrap().told, [1, 2]);
}

#[test]
fn settings() {
    run(async {
        let numbers = [sync::atomic::AtomicU32::new(0)];
        let mut own = Settings::twice();
        all_are! {
            settings::literals() => Err(Trouble::Busy);
            settings::expressions(&numbers) => Ok(1);
            settings::clones(String::from("text"), (1, 2), Vec::new()) => Err(Trouble::Lost);
            settings::clones(String::from("t"), (1, 2), Vec::new()) => Ok(1);
            own.ask("") => Ok(true);
            settings::broken("text", 3) => Ok(3);
            settings::shared(1) => Ok(1);
            settings::shared(1) => Err(Trouble::Refused);
            settings::falls_back("text", 1, false) => Ok(5);
            settings::stale("text", Some(7)) => Ok(7);
            settings::stale("text", None) => Ok(7);
            settings::stale("", None) => Ok(1);
        }
        assert_eq!(own.max, 4, "one more with each attempt, the last included");
        assert_eq!(own.stands_in(1).await, Ok(3));
    });
}

#[test]
fn keyed() {
    run(async {
        let (text, mut items) = (String::from("text"), vec![1]);
        let limit = std::time::Duration::from_secs(3);
        let pair = |one| Pair { one, other: 0 };
        let mut till = Till::open();
        all_are! {
            keyed::borrows("text", &mut items) => Ok(6);
            keyed::borrows("text", &mut items) => Ok(6);
            keyed::owns(text.clone(), (1, 2), Vec::new()) => Ok(text.clone());
            keyed::owns(text.clone(), (1, 3), Vec::new()) => Err(Trouble::Refused);
            keyed::patterns((1, 2), pair(3), text.clone()) => Ok(6);
            keyed::patterns((1, 4), pair(3), text.clone()) => Ok(6);
            keyed::all("text", limit, vec![1]) => Ok(1);
            keyed::all("text", limit, vec![1, 2]) => Ok(1);
            keyed::all("", limit, vec![1, 2]) => Ok(usize::MAX);
            till.pay(7) => Ok(8);
            till.pay(7) => Ok(8);
            till.pay(8) => Ok(10);
        }
        assert_eq!(items.len(), 2, "it has run once");
        let till = sync::Arc::new(till);
        all_are! {
            sync::Arc::clone(&till).detached(1) => Ok(3);
            sync::Arc::clone(&till).detached(1) => Ok(3);
            keyed::boxed(&1) => Ok(2);
        }
    });
}
