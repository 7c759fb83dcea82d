//! In short: a storm, and every mutant found.

use std::{thread, time::Duration};

use steadfast_ledger_test::{Engine, Mutant, Report, provoke, storm, takeover};

const BINARY: &str = env!("CARGO_BIN_EXE_steadfast-ledger-test");

#[test]
fn nothing_is_lost_in_a_storm_over_a_file() {
    nothing_is_lost_in_a_storm(Engine::Redb);
}

#[test]
fn nothing_is_lost_in_a_storm_over_postgres() {
    nothing_is_lost_in_a_storm(Engine::Postgres);
}

#[test]
fn nothing_is_lost_in_a_storm_over_redis() {
    nothing_is_lost_in_a_storm(Engine::Redis);
}

fn nothing_is_lost_in_a_storm(engine: Engine) {
    let report = storm(BINARY, engine, 1, 10).expect("the processes run");
    println!("{report}");
    assert!(report.violations.is_empty(), "{report}");
    // Else nothing was tried.
    for what in ["effect", "kill", "stop", "drop", "panic", "repeat", "server killed"] {
        assert!(report.counts.get(what).is_some_and(|count| *count > 0), "no {what}: {report}");
    }
}

#[test]
fn who_waits_has_the_key_soon_after_its_owner_was_killed() {
    for (engine, name) in Engine::ALL {
        let (after, lease) = takeover(BINARY, engine).expect("the processes run");
        println!("{name}: {after:?} after the kill, with a lease of {lease:?}");
        assert!(after < lease + Duration::from_secs(1), "{name}: {after:?}");
    }
}

#[test]
fn every_mutant_is_found() {
    // They wait most of the time.
    for some in Mutant::ALL.chunks(5) {
        thread::scope(|scope| {
            for (mutant, _) in some {
                scope.spawn(|| is_found(*mutant));
            }
        });
    }
}

/// The plan shows nothing without the mutant, and the defect with it.
fn is_found(mutant: Mutant) {
    let run = |mutated, seed| provoke(BINARY, mutant, mutated, seed).expect("the processes run");
    let report = run(false, 1);
    assert!(report.violations.is_empty(), "without {}: {report}", mutant.name());
    let found = |report: &Report| report.found(mutant.caught_by());
    let report = (1..=3).map(|seed| run(true, seed)).find(found);
    let report = report.unwrap_or_else(|| panic!("nobody has found {}", mutant.name()));
    println!("{}: {report}", mutant.name());
}
