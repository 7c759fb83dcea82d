//! The report, in Markdown: what holds on any machine first, nanoseconds after.

use std::{collections::BTreeSet, fmt, hint::black_box, time::Instant};

use crate::{
    contention::Crowd,
    duplicates::{self, Duplicates},
    groups::{self, Group},
    harness::{Cost, median},
    measures,
    memory::{self, Memory},
};

pub struct Report {
    pub retry: Group,
    pub deadline: Group,
    pub deadline_pending: Group,
    pub both: Group,
    pub six_attempts: Group,
    pub breaker: Group,
    pub breaker_open: Group,
    pub all_three: Group,
    pub replay: Group,
    pub replay_text: Group,
    pub fresh: Group,
    retry_two_threads: Group<Crowd>,
    pub breaker_two_threads: Group<Crowd>,
    pub all_three_two_threads: Group<Crowd>,
    pub replay_two_threads: Group<Crowd>,
    pub fresh_two_threads: Group<Crowd>,
    memory: Vec<Memory>,
    pub duplicates: Duplicates,
    clock: f64,
}

impl Report {
    /// Runs everything, `rounds` rounds of each group.
    pub fn measured(rounds: usize) -> Self {
        // Peers that sleep take milliseconds a call here, and two threads need longer batches.
        let fewer = rounds.div_ceil(10);
        let crowds = rounds.div_ceil(3);
        Self {
            retry: groups::retry(rounds),
            deadline: groups::deadline(rounds),
            deadline_pending: groups::deadline_pending(rounds),
            both: groups::both(rounds),
            six_attempts: groups::six_attempts(fewer),
            breaker: groups::breaker(rounds),
            breaker_open: groups::breaker_open(rounds),
            all_three: groups::all_three(rounds),
            replay: groups::replay(rounds),
            replay_text: groups::replay_text(rounds),
            fresh: groups::fresh(rounds),
            retry_two_threads: groups::retry_two_threads(crowds),
            breaker_two_threads: groups::breaker_two_threads(crowds),
            all_three_two_threads: groups::all_three_two_threads(crowds),
            replay_two_threads: groups::replay_two_threads(crowds),
            fresh_two_threads: groups::fresh_two_threads(crowds),
            memory: memory::measured(if rounds > 1 { 1_000_000 } else { 1_000 }),
            duplicates: duplicates::measured(10_000),
            clock: clock_reading(),
        }
    }

    fn groups(&self) -> [&Group; 11] {
        [
            &self.retry,
            &self.deadline,
            &self.deadline_pending,
            &self.both,
            &self.six_attempts,
            &self.breaker,
            &self.breaker_open,
            &self.all_three,
            &self.replay,
            &self.replay_text,
            &self.fresh,
        ]
    }

    fn crowds(&self) -> [&Group<Crowd>; 5] {
        [
            &self.retry_two_threads,
            &self.breaker_two_threads,
            &self.all_three_two_threads,
            &self.replay_two_threads,
            &self.fresh_two_threads,
        ]
    }

    fn fmt_measures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## Measures\n")?;
        writeln!(f, "| measure | this run | at most | |\n|---|---:|---:|---|")?;
        for measure in measures::all(self) {
            let verdict = if measure.met { "met" } else { "**missed**" };
            writeln!(f, "| {} | {} | {} | {verdict} |", measure.what, measure.run, measure.target)?;
        }
        Ok(())
    }

    fn fmt_ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Ours ÷ a peer's: the time added to the bare call\n")?;
        writeln!(f, "Of refused and replayed calls, which are not made: the time in all.\n")?;
        writeln!(f, "| | peer | ratio |\n|---|---|---:|")?;
        for group in self.groups() {
            for peer in group.peers() {
                let ratio = Digits(group.ratio(peer));
                writeln!(f, "| {} | {} | {ratio} |", group.title, peer.name)?;
            }
        }
        Ok(())
    }

    fn fmt_two_threads(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Two threads in one function at once\n")?;
        writeln!(f, "Added is what they cost together on top of two threads in the bare call.")?;
        for group in self.crowds() {
            writeln!(f, "\n### {}\n", group.title)?;
            writeln!(f, "| | together ÷ alone | alone, ns | together, ns | added, ns | at once |")?;
            writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
            for Crowd { name, alone, together, added, at_once } in &group.costs {
                let slower = together / alone;
                writeln!(
                    f,
                    "| {name} | {slower:.2} | {alone:.1} | {together:.1} | {added:.1} | {at_once} % |"
                )?;
            }
        }
        Ok(())
    }

    fn fmt_sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Size of the future, of a call that is ready at once\n")?;
        writeln!(f, "| | bytes |\n|---|---:|")?;
        let Self { retry, deadline, both, breaker, all_three, replay, fresh, .. } = self;
        let ready = [retry, deadline, both, breaker, all_three, replay, fresh];
        let costs = ready.iter().flat_map(|group| &group.costs);
        let sizes: BTreeSet<_> = costs.map(|cost| (cost.future_size, cost.name)).collect();
        sizes.into_iter().try_for_each(|(size, name)| writeln!(f, "| {name} | {size} |"))
    }

    fn fmt_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Bytes an entry, in a store or a cache of a million\n")?;
        writeln!(f, "| | bytes |\n|---|---:|")?;
        self.memory
            .iter()
            .try_for_each(|Memory { name, bytes }| writeln!(f, "| {name} | {bytes:.0} |"))
    }

    fn fmt_duplicates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Duplicates { calls, runs, returned, gathering, waking, polls, most_polls } =
            self.duplicates;
        writeln!(f, "\n## {calls} calls with one key, in one thread\n")?;
        writeln!(f, "| | |\n|---|---:|")?;
        writeln!(f, "| runs of the body | {runs} |")?;
        writeln!(f, "| calls that returned its result | {returned} |")?;
        writeln!(f, "| until the last one waited | {:.1} ms |", gathering.as_secs_f64() * 1e3)?;
        writeln!(
            f,
            "| from the end of the body until the last one returned | {:.1} ms |",
            waking.as_secs_f64() * 1e3
        )?;
        writeln!(f, "| polls, of all and of the one with the most | {polls}, {most_polls} |")
    }

    fn fmt_nanos(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n## Nanoseconds per call\n")?;
        writeln!(f, "Reading the clock once takes {:.1} ns on this machine.", self.clock)?;
        for group in self.groups() {
            writeln!(f, "\n### {}\n", group.title)?;
            writeln!(f, "| | added | ± | in all | allocations |\n|---|---:|---:|---:|---:|")?;
            for Cost { name, nanos, added, spread, allocations, .. } in &group.costs {
                writeln!(
                    f,
                    "| {name} | {} | {} | {} | {allocations:.0} |",
                    Digits(*added),
                    Digits(*spread),
                    Digits(*nanos),
                )?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_measures(f)?;
        self.fmt_ratios(f)?;
        self.fmt_two_threads(f)?;
        self.fmt_memory(f)?;
        self.fmt_duplicates(f)?;
        self.fmt_sizes(f)?;
        self.fmt_nanos(f)
    }
}

// As many digits as mean something, from a hundredth to millions.
struct Digits(f64);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            0.0 => write!(f, "0"),
            ..0.01 => write!(f, "{:.6}", self.0),
            ..10.0 => write!(f, "{:.2}", self.0),
            ..100.0 => write!(f, "{:.1}", self.0),
            _ => write!(f, "{:.0}", self.0),
        }
    }
}

// The scale of every figure of a deadline: a timeout can't be set without it.
fn clock_reading() -> f64 {
    let readings = (0..101).map(|_| {
        let start = Instant::now();
        for _ in 0..1000 {
            black_box(Instant::now());
        }
        start.elapsed().as_secs_f64() * 1e9 / 1000.0
    });
    median(readings.collect())
}
