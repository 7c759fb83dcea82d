//! Two threads call the same function at once: what they share must not make them wait.

use std::{sync::Barrier, thread, time::Duration};

use crate::harness::{Contender, median};

/// What one contender costs each of two threads.
pub struct Crowd {
    pub name: &'static str,
    /// Nanoseconds per call while the other thread rests.
    pub alone: f64,
    /// Nanoseconds per call while the other thread makes the same calls.
    pub together: f64,
}

/// Measures contenders that `make` builds once per thread.
pub fn measure(make: impl Fn() -> Vec<Contender> + Sync, rounds: usize) -> Vec<Crowd> {
    let calls: Vec<u32> = make().iter_mut().map(|contender| contender.calls_in(BATCH)).collect();
    let both = Barrier::new(2);
    let run = |first: bool| thread_rounds(make(), &calls, &both, first, rounds);
    let (first, second) = thread::scope(|scope| {
        let other = scope.spawn(|| run(false));
        (run(true), other.join().expect("a contender panicked"))
    });
    first
        .into_iter()
        .zip(second)
        .map(|(mut first, second)| {
            first.together.extend(second.together);
            Crowd { name: first.name, alone: median(first.alone), together: median(first.together) }
        })
        .collect()
}

struct Times {
    name: &'static str,
    alone: Vec<f64>,
    together: Vec<f64>,
}

fn thread_rounds(
    mut group: Vec<Contender>,
    calls: &[u32],
    both: &Barrier,
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
                times.alone.push(contender.time(calls));
            }
            both.wait();
            times.together.push(contender.time(calls));
        }
    }
    times
}

// Long against the tens of microseconds by which two threads leave a barrier apart.
const BATCH: Duration = Duration::from_millis(3);
