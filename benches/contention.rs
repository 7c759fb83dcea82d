//! Two threads call the same function at once: what they share must not make them wait.

use std::{
    hint,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::harness::{Contender, Room, median};

/// What one contender costs each of two threads.
pub struct Crowd {
    pub name: &'static str,
    /// Nanoseconds per call while the other thread rests.
    pub alone: f64,
    /// Nanoseconds per call while the other thread makes the same calls.
    pub together: f64,
    /// Nanoseconds of `together` on top of the first contender's in the same round and thread.
    pub added: f64,
    /// The rounds in a hundred in which the two threads did run at once. `together` and `added` are
    /// taken of these, and NaN if they are too few.
    pub at_once: usize,
}

/// Measures contenders that `make` builds once per thread; the first is the bare call.
pub fn measure(make: impl Fn() -> Vec<Contender> + Sync, rounds: usize) -> Vec<Crowd> {
    let both = Meeting::new();
    let calls: Vec<u32> =
        make().iter_mut().map(|contender| contender.calls_in(BATCH, u32::MAX)).collect();
    // Some wait for each other so long that such a batch would take seconds.
    let (first, second) = in_two_threads(|_| bounded(make(), &calls, &both));
    let calls: Vec<u32> =
        first.into_iter().zip(second).map(|(one, other)| one.min(other)).collect();
    let (first, second) =
        in_two_threads(|first| thread_rounds(make(), &calls, &both, first, rounds));
    first.iter().zip(&second).map(|pair| crowd(pair, (&first[0], &second[0]))).collect()
}

fn in_two_threads<T: Send>(run: impl Fn(bool) -> T + Sync) -> (T, T) {
    thread::scope(|scope| {
        let other = scope.spawn(|| run(false));
        (run(true), other.join().expect("a contender panicked"))
    })
}

fn bounded(mut group: Vec<Contender>, calls: &[u32], both: &Meeting) -> Vec<u32> {
    let calls = group.iter_mut().zip(calls).map(|(contender, &calls)| {
        both.wait();
        both.start();
        contender.calls_in(LONGEST, calls)
    });
    calls.collect()
}

fn crowd((first, second): (&Times, &Times), bare: (&Times, &Times)) -> Crowd {
    let rounds = first.together.len();
    let at_once = |&round: &usize| first.together[round].meets(&second.together[round]);
    let mut met: Vec<usize> = (0..rounds).filter(at_once).collect();
    let at_once = 100 * met.len() / rounds;
    if at_once < FEWEST {
        met.clear();
    }
    let of = |times: &Times, bare: &Times| -> Vec<(f64, f64)> {
        let nanos = |times: &Times, round: usize| times.together[round].nanos;
        met.iter().map(|&at| (nanos(times, at), nanos(times, at) - nanos(bare, at))).collect()
    };
    let both = of(first, bare.0).into_iter().chain(of(second, bare.1));
    let (together, added) = both.unzip();
    let alone = median(first.alone.clone());
    Crowd { name: first.name, alone, together: median(together), added: median(added), at_once }
}

struct Times {
    name: &'static str,
    alone: Vec<f64>,
    together: Vec<Batch>,
}

struct Batch {
    start: Instant,
    end: Instant,
    /// Per call.
    nanos: f64,
}

impl Batch {
    fn timed(contender: &mut Contender, calls: u32) -> Self {
        let start = Instant::now();
        let nanos = contender.time(calls);
        Self { start, end: Instant::now(), nanos }
    }

    /// Whether the two ran at once, but for a quarter: on a machine with something else to do, one
    /// often starts when the other is done.
    fn meets(&self, other: &Self) -> bool {
        let longest = (self.end - self.start).max(other.end - other.start);
        let start = self.start.max(other.start);
        let common = self.end.min(other.end).saturating_duration_since(start);
        4 * common >= 3 * longest
    }
}

/// Where two threads wait for each other.
struct Meeting {
    asleep: Barrier,
    awake: AtomicUsize,
}

impl Meeting {
    fn new() -> Self {
        Self { asleep: Barrier::new(2), awake: AtomicUsize::new(0) }
    }

    /// Leaves the processor to the other.
    fn wait(&self) {
        self.asleep.wait();
    }

    /// Both leave within nanoseconds, and both have a processor when they do.
    fn start(&self) {
        let before = self.awake.fetch_add(1, Ordering::AcqRel);
        let both = (before / 2 + 1) * 2;
        while self.awake.load(Ordering::Acquire) < both {
            hint::spin_loop();
        }
    }
}

fn thread_rounds(
    mut group: Vec<Contender>,
    calls: &[u32],
    both: &Meeting,
    first: bool,
    rounds: usize,
) -> Vec<Times> {
    let mut times: Vec<Times> = group
        .iter()
        .map(|contender| Times { name: contender.name, alone: Vec::new(), together: Vec::new() })
        .collect();
    for _ in 0..rounds {
        for ((contender, times), &calls) in group.iter_mut().zip(&mut times).zip(calls) {
            both.wait();
            if first {
                contender.prepare(Room::Made);
                times.alone.push(contender.time(calls));
            }
            both.wait();
            contender.prepare(Room::Left);
            both.start();
            times.together.push(Batch::timed(contender, calls));
        }
    }
    times
}

// Short, so that a busy machine interrupts few of them.
const BATCH: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(10);

/// A scheduler may keep both threads on one processor while others fill the rest.
const FEWEST: usize = 5;
