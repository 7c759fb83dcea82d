//! The nemesis: a storm of calls and blows, as a seed decides.

use std::{
    io,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    checker::Report,
    driver::{Calling, World},
    engine::Engine,
    points::{Blow, Point},
};

/// One storm after the other, each with the next seed, for so long; ends with the first violation.
pub(crate) fn storms(binary: &Path, engine: Engine, minutes: u64, first: u64) -> io::Result<()> {
    let until = Instant::now() + Duration::from_secs(60 * minutes);
    for seed in first.. {
        let report = storm(binary, engine, seed, 20)?;
        println!("seed {seed}: {report}");
        if !report.violations.is_empty() {
            return Err(io::Error::other("what must not be so is so"));
        }
        if Instant::now() >= until {
            break;
        }
    }
    Ok(())
}

/// Workers for so many seconds; then quiet, and the check.
pub(crate) fn storm(binary: &Path, engine: Engine, seed: u64, seconds: u64) -> io::Result<Report> {
    let workers = if engine == Engine::Redb { 4 } else { 8 };
    let mut world = World::new(binary, engine, workers, None)?;
    let mut chance = Chance::new(seed);
    let until = Instant::now() + Duration::from_secs(seconds);
    let (mut keys, mut made) = (Vec::new(), 0);
    let mut calls = 0_u64;
    while Instant::now() < until {
        if keys.len() < 8 || chance.one_in(3) {
            let key = format!("{}-{made}", chance.of(&KINDS));
            made += 1;
            if keys.len() >= 8 {
                keys.remove(0);
            }
            let worker = chance.worker(&world);
            let calling = chance.first_call(&key, worker);
            world.call(worker, &key, calling);
            keys.push(key);
        } else {
            let (worker, key) = (chance.worker(&world), chance.of(&keys));
            let calling = chance.duplicate(&key, worker);
            world.call(worker, &key, calling);
        }
        calls += 1;
        if calls.is_multiple_of(150) {
            world.kill_server(Duration::from_millis(chance.below(300)))?;
        }
        world.pass(Duration::from_millis(5 + chance.below(20)))?;
    }
    world.settle(PATIENCE)?;
    world.check()
}

const KINDS: [&str; 5] = ["detached", "fail", "find", "rerun", "rerun"];

/// What befalls which point. Those of the workers that are never stopped come first.
const BLOWS: [(Point, Blow); 24] = [
    (Point::ClaimSent, Blow::Kill),
    (Point::ClaimAcknowledged, Blow::Kill),
    (Point::BodyStarted, Blow::Kill),
    (Point::EffectDone, Blow::Kill),
    (Point::BeforeComplete, Blow::Kill),
    (Point::AfterComplete, Blow::Kill),
    (Point::BeforeClaim, Blow::LoseRequest),
    (Point::ClaimAcknowledged, Blow::LoseReply),
    (Point::BeforeComplete, Blow::LoseRequest),
    (Point::AfterComplete, Blow::LoseReply),
    (Point::AfterComplete, Blow::DelayReply),
    (Point::ClaimSent, Blow::Drop),
    (Point::BodyStarted, Blow::Drop),
    (Point::EffectDone, Blow::Drop),
    (Point::BeforeComplete, Blow::Drop),
    (Point::BodyStarted, Blow::Panic),
    (Point::EffectDone, Blow::Panic),
    (Point::BodyStarted, Blow::Fail),
    (Point::ClaimAcknowledged, Blow::DelayReply),
    (Point::ClaimSent, Blow::Stop),
    (Point::BodyStarted, Blow::Stop),
    (Point::BeforeEffect, Blow::Stop),
    (Point::EffectDone, Blow::Stop),
    (Point::BeforeComplete, Blow::Stop),
];
/// So many leave an owner who asks whether it holds the key still right.
const HARMLESS: usize = 18;

/// How long something final may take to become of a key: the longest lease, and a loaded machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a seed decides.
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `SplitMix64`.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn of<T: Clone>(&mut self, some: &[T]) -> T {
        let at = self.below(some.len() as u64);
        some[usize::try_from(at).unwrap_or(0)].clone()
    }

    fn worker(&mut self, world: &World) -> usize {
        usize::try_from(self.below(world.workers() as u64)).unwrap_or(0)
    }

    /// Three of four get a blow.
    fn first_call(&mut self, key: &str, worker: usize) -> Calling {
        let hold = self.of(&[20, 60, 60, 200, 900]);
        let blow = (!self.one_in(4)).then(|| self.blow(key, worker));
        Calling { blow, ..Calling::hold(hold) }
    }

    fn duplicate(&mut self, key: &str, worker: usize) -> Calling {
        let amount = if self.one_in(20) { 2 } else { 1 };
        let blow = self.one_in(12).then(|| self.blow(key, worker));
        let hold = self.of(&[20, 60, 200]);
        Calling { amount, blow, ..Calling::hold(hold) }
    }

    fn blow(&mut self, key: &str, worker: usize) -> (Point, Blow) {
        // Who finds out asks whether it happened so far: an owner that is stopped within one step of its
        // body may still do it. That is what a fence is for, and these have none.
        let may_stop = worker >= 2 && !key.starts_with("find");
        if may_stop && self.one_in(3) {
            return self.of(&BLOWS[HARMLESS..]);
        }
        self.of(&BLOWS[..if may_stop { BLOWS.len() } else { HARMLESS }])
    }
}
