//! What we promise, held against this run.

use crate::{groups::Group, report::Report};

/// One promise.
pub struct Measure {
    pub what: &'static str,
    pub run: String,
    pub target: String,
    pub met: bool,
}

pub fn all(report: &Report) -> Vec<Measure> {
    let Report { retry, deadline, deadline_pending, both, six_attempts, .. } = report;
    let timeout = "tokio::time::timeout";
    let sum = both.named("`#[retry]`").added + both.named("`#[deadline]`").added;
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
    ]
}

fn ours_to(group: &Group, peer: &str) -> f64 {
    group.ours().added / group.named(peer).added
}

fn ratio(what: &'static str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.2}"), format!("{most:.2}"))
}

fn count(what: &'static str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.0}"), format!("{most:.0}"))
}

fn bytes(what: &'static str, run: usize, most: usize) -> Measure {
    measure(what, run <= most, format!("{run} bytes"), format!("{most} bytes"))
}

fn nanos(what: &'static str, run: f64, most: f64) -> Measure {
    measure(what, run <= most, format!("{run:.1} ns"), format!("{most:.0} ns"))
}

fn measure(what: &'static str, met: bool, run: String, target: String) -> Measure {
    Measure { what, run, target, met }
}
