//! What we promise, held against this run.

use crate::{
    contention::Crowd,
    groups::{Group, Named},
    peers::moka,
    report::Report,
};

/// One promise.
pub struct Measure {
    pub what: String,
    pub run: String,
    pub target: String,
    pub met: bool,
}

pub fn all(report: &Report) -> Vec<Measure> {
    let Report { retry, deadline, deadline_pending, both, six_attempts, .. } = report;
    let Report { breaker, breaker_open, breaker_two_threads, .. } = report;
    let Report { all_three, all_three_two_threads, .. } = report;
    let Report { replay, replay_text, fresh, .. } = report;
    let Report { replay_two_threads, fresh_two_threads, duplicates, .. } = report;
    let timeout = "tokio::time::timeout";
    let sum = both.named("`#[retry]`").added + both.named("`#[deadline]`").added;
    let keyed = breaker.named("`#[circuit_breaker(per = ..)]`").added;
    let grown = both.ours().future_size.saturating_sub(both.bare().future_size);
    vec![
        ratio("retry ÷ backon, added cost", ours_to(retry, "backon 1.6"), 1.0),
        ratio("deadline ÷ timeout, added cost, ready", ours_to(deadline, timeout), 0.25),
        ratio("deadline ÷ timeout, added cost, pending", ours_to(deadline_pending, timeout), 1.1),
        ratio("deadline and retry ÷ their sum, added cost", both.ours().added / sum, 1.0),
        count("retry, allocations", retry.ours().allocations, 0.0),
        count("deadline, allocations, ready", deadline.ours().allocations, 0.0),
        bytes("deadline and retry, future larger by", grown, 200),
        nanos("retry, added", retry.ours().added, 3.0),
        nanos("deadline, added, ready", deadline.ours().added, 6.0),
        nanos("six attempts, no pause", six_attempts.ours().nanos, 200.0),
        fastest("circuit breaker", "added cost", breaker, 0.33),
        fastest("circuit breaker, two threads", "added cost", breaker_two_threads, 0.1),
        fastest("circuit breaker, open", "cost in all", breaker_open, 0.5),
        ratio("circuit breaker, 1 000 keys ÷ one, added cost", keyed / breaker.ours().added, 3.0),
        count("circuit breaker, allocations", breaker.ours().allocations, 0.0),
        count("circuit breaker, open, allocations", breaker_open.ours().allocations, 0.0),
        count("all three, allocations", all_three.ours().allocations, 0.0),
        nanos("circuit breaker, added", breaker.ours().added, 10.0),
        nanos("circuit breaker, added, two threads", breaker_two_threads.ours().added, 10.0),
        nanos("all three, added", all_three.ours().added, 20.0),
        nanos("all three, added, two threads", all_three_two_threads.ours().added, 20.0),
        ratio("replay ÷ moka, key formatted, cost in all", ours_to(replay, moka::FORMATTED), 1.0),
        ratio(
            "replay, key of 36 characters ÷ moka, key formatted, cost in all",
            ours_to(replay_text, moka::FORMATTED),
            1.0,
        ),
        ratio("new key ÷ moka, key formatted, added cost", ours_to(fresh, moka::FORMATTED), 0.33),
        twice("replays, two threads ÷ one, throughput", replay_two_threads, 1.7),
        twice("new keys, two threads ÷ one, throughput", fresh_two_threads, 1.7),
        count("duplicates of a running call, runs", f64::from(duplicates.runs), 1.0),
        count("duplicates, polls of each", f64::from(duplicates.most_polls), 4.0),
    ]
}

fn ours_to(group: &Group, peer: &str) -> f64 {
    group.ratio(group.named(peer))
}

fn fastest<C: Named>(what: &str, which: &str, group: &Group<C>, most: f64) -> Measure {
    let peer = group.fastest_peer();
    ratio(&format!("{what} ÷ {}, the fastest, {which}", peer.name()), group.ratio(peer), most)
}

fn twice(what: &str, group: &Group<Crowd>, least: f64) -> Measure {
    let Crowd { alone, together, .. } = group.ours();
    let run = 2.0 * alone / together;
    measure(what, run >= least, format!("{run:.2}"), format!("{least:.2}, at least"))
}

fn ratio(what: &str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.2}"), format!("{most:.2}"))
}

fn count(what: &str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.0}"), format!("{most:.0}"))
}

fn bytes(what: &str, run: usize, most: usize) -> Measure {
    measure(what, run <= most, format!("{run} bytes"), format!("{most} bytes"))
}

fn nanos(what: &str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.1} ns"), format!("{most:.0} ns"))
}

fn measure(what: &str, met: bool, run: String, target: String) -> Measure {
    Measure { what: what.to_owned(), run, target, met }
}
