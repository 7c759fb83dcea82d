//! The plans that provoke the mutants: short ones, each with little but what shows its defect.

use std::{io, path::Path, time::Duration};

use crate::{
    checker::Report,
    driver::{Calling, World},
    engine::Engine,
    history::{Line, of},
    mutants::Mutant,
    nemesis::{Chance, PATIENCE},
    points::{Blow, Point},
};

/// Follows the plan for a mutant, with it or without.
pub(crate) fn provoke(
    binary: &Path,
    mutant: Mutant,
    mutated: bool,
    seed: u64,
) -> io::Result<Report> {
    let mut world = World::new(binary, Engine::Redb, 2, mutated.then_some(mutant))?;
    let mut chance = Chance::new(seed);
    match mutant {
        Mutant::EvictsInProgress => many_at_once(&mut world, &mut chance)?,
        Mutant::ExpiresWhileInProgress => {
            duplicates(&mut world, &mut chance, "short-1", Calling::hold(1_800), 900)?;
        }
        Mutant::ForgetsTakeover => lost_takeover(&mut world, &mut chance)?,
        Mutant::LeaseNeverDies => {
            world.call(1, "rerun-1", Calling::PLAIN.blow(Point::EffectDone, Blow::Kill));
            world.pass(millis(300 + chance.below(100)))?;
        }
        Mutant::NoTokenOnComplete => late_completion(&mut world, &mut chance)?,
        Mutant::ReleaseAfterFailedComplete => {
            let first = Calling::PLAIN.blow(Point::BeforeComplete, Blow::LoseRequest);
            duplicates(&mut world, &mut chance, "fail-1", first, 600)?;
        }
        Mutant::TakeoverWithoutCompare | Mutant::WaiterDeletes | Mutant::ZeroRowsAcquired => {
            duplicates(&mut world, &mut chance, "fail-1", Calling::hold(1_200), 750)?;
        }
        Mutant::TokenRestarts => new_server(&mut world, &mut chance)?,
    }
    // A mutant that nobody can wait for need not be waited for as long.
    world.settle(if mutated { PATIENCE / 10 } else { PATIENCE })?;
    world.check()
}

/// How long after its owner was killed a key has the next one, where that is waiting for it.
pub(crate) fn takeover(binary: &Path, engine: Engine) -> io::Result<Duration> {
    let mut world = World::new(binary, engine, 2, None)?;
    world.call(0, "rerun-1", Calling::PLAIN.blow(Point::BodyStarted, Blow::Kill));
    world.pass(millis(100))?;
    world.call(1, "rerun-1", Calling::PLAIN);
    world.pass(millis(3_000))?;
    let history = world.history()?;
    let lines = &history.keys["rerun-1"];
    let killed = of(lines, "blow").next().map(Line::time);
    let next = of(lines, "claimed").nth(1).map(Line::time);
    let (Some(killed), Some(next)) = (killed, next) else {
        return Err(io::Error::other("nobody has taken over"));
    };
    world.check()?;
    Ok(Duration::from_millis(next - killed))
}

/// A call, and two more while it runs or after.
fn duplicates(
    world: &mut World,
    chance: &mut Chance,
    key: &str,
    first: Calling,
    after: u64,
) -> io::Result<()> {
    world.call(0, key, first);
    world.pass(millis(after + chance.below(50)))?;
    world.call(1, key, Calling::PLAIN);
    world.pass(millis(100 + chance.below(50)))?;
    world.call(0, key, Calling::PLAIN);
    world.pass(millis(1_200))
}

/// More keys in progress than a small store has room for, and a duplicate of each.
fn many_at_once(world: &mut World, chance: &mut Chance) -> io::Result<()> {
    for _ in 0..2 {
        for number in 0..6 {
            world.call(number % 2, &format!("fail-{number}"), Calling::hold(1_200));
        }
        world.pass(millis(750 + chance.below(50)))?;
    }
    Ok(())
}

/// An owner that is stopped when it has a result, and comes back when its successor has another.
fn late_completion(world: &mut World, chance: &mut Chance) -> io::Result<()> {
    world.call(1, "rerun-1", Calling::PLAIN.blow(Point::BeforeComplete, Blow::Stop));
    world.pass(millis(100 + chance.below(50)))?;
    world.call(0, "rerun-1", Calling::PLAIN);
    world.pass(millis(1_800))
}

/// A takeover whose reply is lost, from a run whose effect has happened.
fn lost_takeover(world: &mut World, chance: &mut Chance) -> io::Result<()> {
    world.call(0, "find-1", Calling::PLAIN.blow(Point::EffectDone, Blow::Drop));
    world.pass(millis(400 + chance.below(50)))?;
    world.call(1, "find-1", Calling::PLAIN.blow(Point::ClaimAcknowledged, Blow::LoseReply));
    world.pass(millis(800))
}

/// A takeover by a server that is not the one which gave out the token before.
fn new_server(world: &mut World, chance: &mut Chance) -> io::Result<()> {
    for number in 0..5 {
        world.call(0, &format!("rerun-{number}"), Calling::PLAIN);
    }
    world.pass(millis(300 + chance.below(50)))?;
    world.call(1, "rerun-9", Calling::PLAIN.blow(Point::EffectDone, Blow::Kill));
    world.pass(millis(400))?;
    world.kill_server(Duration::ZERO)?;
    world.call(0, "rerun-9", Calling::PLAIN);
    world.pass(millis(1_200))
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
