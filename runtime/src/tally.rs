//! Counts that many threads add to without meeting on one cache line.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU8, AtomicU16, AtomicU64, Ordering},
};

/// Counts calls of a few kinds, for about a nanosecond each.
///
/// An atomic addition costs about 5 ns, and a hundred when two cores want the same line. Here each
/// of the first sixteen threads owns a line, so that a plain load and store is exact; further
/// threads add atomically to other words of a line that they share. Up to four kinds fit a line.
#[derive(Debug)]
pub(crate) struct Tally<const KINDS: usize> {
    lines: [Line<KINDS>; LINES],
}

#[derive(Debug)]
#[repr(align(64))]
struct Line<const KINDS: usize> {
    owned: [AtomicU64; KINDS],
    shared: [AtomicU64; KINDS],
}

impl<const KINDS: usize> Tally<KINDS> {
    pub(crate) const fn new() -> Self {
        Self { lines: [const { Line::new() }; LINES] }
    }

    #[inline]
    pub(crate) fn add_one(&self, kind: usize) {
        match self.lines.get(usize::from(SEAT.get())) {
            // Only this thread writes here, so nothing is lost between the load and the store.
            Some(line) => {
                let count = &line.owned[kind];
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            None => self.add_one_without_a_seat(kind),
        }
    }

    #[cold]
    #[inline(never)]
    fn add_one_without_a_seat(&self, kind: usize) {
        if SEAT.get() == UNSEATED {
            take_seat();
            return self.add_one(kind);
        }
        let line = &self.lines[usize::from(SEAT.get()) % LINES];
        line.shared[kind].fetch_add(1, Ordering::Relaxed);
    }

    /// The count so far. It never falls for a reader that is ordered after an earlier one.
    pub(crate) fn total(&self, kind: usize) -> u64 {
        let count = |line: &Line<KINDS>| {
            let owned = line.owned[kind].load(Ordering::Relaxed);
            owned.wrapping_add(line.shared[kind].load(Ordering::Relaxed))
        };
        self.lines.iter().map(count).fold(0, u64::wrapping_add)
    }
}

impl<const KINDS: usize> Line<KINDS> {
    const fn new() -> Self {
        Self {
            owned: [const { AtomicU64::new(0) }; KINDS],
            shared: [const { AtomicU64::new(0) }; KINDS],
        }
    }
}

const LINES: usize = SEATS as usize;
const SEATS: u8 = 16;

/// A thread that has not counted yet. From `SEATS` up to here a thread shares a line.
const UNSEATED: u8 = u8::MAX;

/// One bit for each line that a living thread owns.
static TAKEN: AtomicU16 = AtomicU16::new(0);

/// How many threads have found every line owned.
static CROWD: AtomicU8 = AtomicU8::new(0);

thread_local! {
    // Without a destructor, so that reading it is one load.
    static SEAT: Cell<u8> = const { Cell::new(UNSEATED) };
    static LEASE: Cell<Option<Lease>> = const { Cell::new(None) };
}

/// Gives the line back when its thread ends.
struct Lease(u8);

impl Drop for Lease {
    fn drop(&mut self) {
        // What this thread still counts in other destructors goes to the crowd.
        SEAT.set(standing());
        // Release: the next owner reads what this one has stored.
        TAKEN.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

fn take_seat() {
    let mut taken = TAKEN.load(Ordering::Relaxed);
    let seat = loop {
        let seat = u8::try_from(taken.trailing_ones()).unwrap_or(SEATS);
        if seat >= SEATS {
            return SEAT.set(standing());
        }
        let with = taken | 1 << seat;
        match TAKEN.compare_exchange_weak(taken, with, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => break seat,
            Err(now) => taken = now,
        }
    };
    let lease = Lease(seat);
    // A thread that is ending has no place to keep the lease; dropping it has made it stand.
    if LEASE.try_with(|slot| slot.set(Some(lease))).is_ok() {
        SEAT.set(seat);
    }
}

fn standing() -> u8 {
    SEATS + CROWD.fetch_add(1, Ordering::Relaxed) % SEATS
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn exact_with_more_threads_than_lines() {
        let tally = Tally::<2>::new();
        // Three rounds, so that seats are handed on from thread to thread.
        for _ in 0..3 {
            thread::scope(|scope| {
                for _ in 0..2 * LINES {
                    scope.spawn(|| (0..10_000).for_each(|_| tally.add_one(1)));
                }
            });
        }
        assert_eq!(tally.total(1), 3 * 2 * LINES as u64 * 10_000);
        assert_eq!(tally.total(0), 0);
    }

    /// Or it would go on writing to a line that another thread has taken.
    #[test]
    fn whose_lease_has_ended_shares_a_line() {
        let thread = thread::spawn(|| {
            Tally::<1>::new().add_one(0);
            let lease = LEASE.take();
            assert_eq!(lease.is_some(), SEAT.get() < SEATS);
            drop(lease);
            assert!(SEAT.get() >= SEATS);
        });
        thread.join().expect("no panic");
    }

    #[test]
    fn counts_in_the_destructor_of_a_thread_local() {
        static TALLY: Tally<1> = Tally::new();
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                TALLY.add_one(0);
            }
        }
        thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });
        let late_first = thread::spawn(|| {
            LATE.set(Some(Late));
            TALLY.add_one(0);
        });
        late_first.join().expect("no panic");
        let seat_first = thread::spawn(|| {
            TALLY.add_one(0);
            LATE.set(Some(Late));
        });
        seat_first.join().expect("no panic");
        let never_seated = thread::spawn(|| LATE.set(Some(Late)));
        never_seated.join().expect("no panic");
        assert_eq!(TALLY.total(0), 5);
    }
}
