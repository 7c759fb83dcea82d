//! The protocol of idempotent calls, in every order in which calls, messages and time can meet.
//!
//! The store is the runtime's own [`Record`](steadfast::idempotent::Record); the calls are written after
//! the runtime's by hand. The short form runs with `cargo test`, some 6 million states; the long one, 45
//! million in a few minutes, with
//!
//! ```text
//! cargo test -p steadfast-protocol -- --ignored --nocapture --test-threads 1
//! ```

use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use self::{
    model::{Mode, Protocol},
    mutations::{BATTERY, Mutation},
    rules::Ours,
};

mod caller;
mod model;
mod mutations;
mod properties;
mod rules;
mod store;
mod world;

#[test]
fn two_calls_and_a_lost_message() {
    for mode in MODES {
        check(Protocol { mode, ..SMALL });
    }
}

#[test]
fn three_calls() {
    for mode in MODES {
        check(Protocol { mode, callers: 3, ticks: 2, losses: 0, ..SMALL });
    }
}

#[test]
fn three_calls_of_which_one_is_another() {
    for other in [Some(1), Some(2)] {
        check(Protocol { other, callers: 3, ticks: 2, losses: 0, ..SMALL });
    }
}

#[test]
fn each_mutation_breaks_a_property() {
    for (mutation, breaks) in BATTERY {
        let other = Some(1).filter(|_| mutation == Mutation::MismatchWaits);
        let Protocol { mode, callers, mut ticks, mut losses, .. } = SMALL;
        if mutation == Mutation::TokensBeginAgain {
            // It takes until a record has expired that nobody has released.
            (ticks, losses) = (5, 0);
        }
        let protocol = Protocol { rules: mutation, mode, callers, other, ticks, losses };
        let wanted = HasDiscoveries::AllOf(breaks.iter().copied().collect());
        let checker = protocol.checker().finish_when(wanted).spawn_bfs().join();
        println!("{mutation:?}, in {} states: {breaks:?}", checker.unique_state_count());
        for property in breaks {
            let found = checker.discovery(property);
            assert!(found.is_some(), "{mutation:?} does not break: {property}");
        }
    }
}

/// One that no mutation breaks might hold of anything.
#[test]
fn each_property_is_broken_by_a_mutation() {
    for property in SMALL.properties() {
        let is_broken = BATTERY.iter().any(|(_, breaks)| breaks.contains(&property.name));
        assert!(is_broken || property.expectation != Expectation::Always, "{}", property.name);
    }
}

#[test]
#[ignore = "a few minutes"]
fn long_form() {
    for mode in MODES {
        check(Protocol { mode, ticks: 5, ..SMALL });
        check(Protocol { mode, losses: 2, ..SMALL });
        check(Protocol { mode, callers: 3, losses: 0, ..SMALL });
    }
}

fn check(protocol: Protocol<Ours>) {
    let begun = Instant::now();
    let checker = protocol.checker().threads(2).spawn_dfs().join();
    println!("{protocol:?}: {} states in {:?}", checker.unique_state_count(), begun.elapsed());
    checker.assert_properties();
}

const SMALL: Protocol<Ours> =
    Protocol { rules: Ours, mode: Mode::Rerun, callers: 2, other: None, ticks: 3, losses: 1 };

const MODES: [Mode; 3] = [Mode::Fail, Mode::FindOut, Mode::Rerun];
