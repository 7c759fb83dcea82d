//! The checker: reads what the ledger has written down, and says what must not be so.
//!
//! Each check holds whatever the processes were stopped, delayed or killed at: an answer that did not come
//! is not a failure, and of two things that overlap none is said to be the first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};

use crate::{
    history::{History, Line, amount_of, call_of, of, token_of},
    jobs::kind,
};

/// In milliseconds: a little less than a call waits for the store to take its result.
const PATIENCE: u64 = 150;

/// What came of a run.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// What must not be so.
    pub violations: Vec<Violation>,
    /// How much of what there was.
    pub counts: BTreeMap<String, usize>,
    /// Where the history is, if it was kept.
    pub kept_in: Option<PathBuf>,
}

/// Something that must not be so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Which check has found it.
    pub check: &'static str,
    /// Of which key.
    pub key: String,
    /// What is wrong.
    pub what: String,
}

/// A check of the lines of one key: what is wrong with them.
type Check = fn(&str, &[Line]) -> Vec<String>;

const CHECKS: [(&str, Check); 10] = [
    ("at most once", at_most_once),
    ("repeats are announced", repeats_are_announced),
    ("fences hold", fences_hold),
    ("one answer", one_answer),
    ("no phantom success", no_phantom_success),
    ("completions survive", completions_survive),
    ("tokens rise", tokens_rise),
    ("no takeover of the living", no_takeover_of_the_living),
    ("liveness", liveness),
    ("a mismatch has no result", a_mismatch_has_no_result),
];

pub(crate) fn check(history: &History) -> Report {
    let mut report = Report::default();
    for (key, lines) in history.keys.iter().filter(|(key, _)| !key.is_empty()) {
        for (check, find) in CHECKS {
            let found = find(key, lines).into_iter();
            report.violations.extend(found.map(|what| Violation { check, key: key.clone(), what }));
        }
    }
    let mut count = |what: &str, number| report.counts.insert(what.to_owned(), number);
    for kind in ["call", "answer", "begin", "effect", "repeat", "server killed"] {
        count(kind, history.count(kind));
    }
    count("line", history.lines);
    count("key", history.keys.len());
    for line in history.keys.values().flatten() {
        match &*line.kind {
            "blow" => *report.counts.entry(line.text("blow").to_owned()).or_default() += 1,
            "fenced" if !line.is("accepted") => {
                *report.counts.entry("fenced off".to_owned()).or_default() += 1;
            }
            _ => {}
        }
    }
    report
}

/// What may become of a key in the end.
pub(crate) fn is_final(key: &str, outcome: &str) -> bool {
    match kind(key) {
        "find" | "rerun" => matches!(outcome, "Ok" | "KeyMismatch"),
        _ => matches!(outcome, "Interrupted" | "Ok" | "KeyMismatch"),
    }
}

/// With `"fail"`, and where somebody finds out first.
fn at_most_once(key: &str, lines: &[Line]) -> Vec<String> {
    let effects = of(lines, "effect").count();
    if kind(key) == "rerun" || effects <= 1 {
        return Vec::new();
    }
    vec![format!("{effects} effects")]
}

/// With `"rerun"` each run beyond the first one is announced as one that may repeat the effect; the
/// announcement is made by the one who runs again, before it runs.
fn repeats_are_announced(key: &str, lines: &[Line]) -> Vec<String> {
    let (effects, repeats) = (of(lines, "effect").count(), of(lines, "repeat").count());
    if kind(key) != "rerun" || effects <= 1 + repeats {
        return Vec::new();
    }
    vec![format!("{effects} effects, {repeats} runs that were announced as repeating one")]
}

/// A resource that checks the token takes the effects of owners in their order, and of each only one. Where
/// no run is repeated it takes one in all.
fn fences_hold(key: &str, lines: &[Line]) -> Vec<String> {
    let accepted: Vec<u64> =
        of(lines, "fenced").filter(|line| line.is("accepted")).map(Line::token).collect();
    let mut wrong = Vec::new();
    if !accepted.is_sorted_by(|a, b| a < b) {
        wrong.push(format!("accepted with the tokens {accepted:?}"));
    }
    if kind(key) != "rerun" && accepted.len() > 1 {
        wrong.push(format!("accepted {} times", accepted.len()));
    }
    wrong
}

/// What was kept of a key is one value, and whoever gets an `Ok` gets that. But a caller whose run the store
/// has not taken the result of, for as long as a call waits for it, has its own.
fn one_answer(_: &str, lines: &[Line]) -> Vec<String> {
    let ok = || of(lines, "answer").filter(|answer| answer.text("outcome") == "Ok");
    let kept: BTreeSet<&str> = of(lines, "completed")
        .map(Line::value)
        .chain(ok().filter(|answer| is_replay(answer)).map(Line::value))
        .collect();
    let mut wrong = Vec::new();
    if kept.len() > 1 {
        wrong.push(format!("kept: {kept:?}"));
    }
    for answer in ok().filter(|answer| !kept.is_empty() && !kept.contains(answer.value())) {
        let waited = waited_for_the_store(lines, answer);
        if waited < PATIENCE {
            let value = answer.value();
            wrong.push(format!("{value}, which had {waited} ms to be kept, beside {kept:?}"));
        }
    }
    wrong
}

/// For how long a call has waited for the store to take its result, since it was last stopped.
fn waited_for_the_store(lines: &[Line], answer: &Line) -> u64 {
    let token = token_of(answer.value());
    let sent = of(lines, "completing").find(|sent| Some(sent.token()) == token);
    let resumed = of(lines, "resumed")
        .filter(|line| line.text("who") == answer.text("who") && line.at < answer.at)
        .last();
    let since = sent.into_iter().chain(resumed).map(Line::time).max();
    since.map_or(0, |since| answer.time().saturating_sub(since))
}

fn is_replay(answer: &Line) -> bool {
    answer.text("outcome") == "Ok" && call_of(answer.value()) != Some(answer.number("call"))
}

/// Who is told that it happened can see that it did.
fn no_phantom_success(_: &str, lines: &[Line]) -> Vec<String> {
    of(lines, "answer")
        .filter(|answer| answer.text("outcome") == "Ok")
        .filter(|answer| {
            !of(lines, "effect")
                .any(|effect| effect.value() == answer.value() && effect.at < answer.at)
        })
        .map(|answer| format!("no effect made {}", answer.value()))
        .collect()
}

/// Once the store has said that it keeps a result, no call that begins after that runs the body.
fn completions_survive(key: &str, lines: &[Line]) -> Vec<String> {
    // That of a `short` one has expired by then.
    let Some(kept) = of(lines, "completed").next().filter(|_| kind(key) != "short") else {
        return Vec::new();
    };
    of(lines, "begin")
        .filter(|begin| {
            let call = begin.number("call");
            of(lines, "call").any(|line| line.number("call") == call && line.at > kept.at)
        })
        .map(|begin| format!("call {} ran after {} was kept", begin.number("call"), kept.value()))
        .collect()
}

/// A claim that begins when another has its token gets a greater one, and no two owners get the same.
fn tokens_rise(_: &str, lines: &[Line]) -> Vec<String> {
    let mut wrong = Vec::new();
    let claimed: Vec<_> = of(lines, "claimed").collect();
    for (at, late) in claimed.iter().enumerate() {
        let sent = claiming(lines, late).map_or(late.at, |sent| sent.at);
        for early in &claimed[..at] {
            if early.text("owner") == late.text("owner") {
                continue;
            }
            let [before, after] = [early.token(), late.token()];
            if before == after || (early.at < sent && before > after) {
                wrong.push(format!("{after} after {before}"));
            }
        }
    }
    wrong
}

/// The latest line that says that this claim is sent.
fn claiming<'a>(lines: &'a [Line], claimed: &'a Line) -> Option<&'a Line> {
    of(lines, "claiming")
        .filter(|sent| sent.text("owner") == claimed.text("owner") && sent.at < claimed.at)
        .last()
}

/// A claim before the lease of the one who holds the key can have ended. The lease began, by the store's
/// clock, not before it was asked for; the claim was made not after its answer was there.
fn no_takeover_of_the_living(_: &str, lines: &[Line]) -> Vec<String> {
    let mut wrong = Vec::new();
    for late in of(lines, "claimed") {
        let Some(sent) = claiming(lines, late) else { continue };
        for early in of(lines, "claimed").filter(|early| early.at < sent.at) {
            let is_other = early.text("owner") != late.text("owner");
            if is_other && early.token() != late.token() && gave_up(lines, early, late).is_none() {
                let alive = alive_until(lines, early, sent);
                if late.time() < alive {
                    let [token, new] = [early.token(), late.token()];
                    wrong.push(format!(
                        "{new} got the key at {}, the lease of {token} lives until {alive}",
                        late.time()
                    ));
                }
            }
        }
    }
    wrong
}

/// Whether an owner has said itself that it is no longer one, or may have, or there was a later one.
fn gave_up<'a>(lines: &'a [Line], owner: &Line, until: &Line) -> Option<&'a Line> {
    lines.iter().find(|line| {
        let ends = matches!(&*line.kind, "completed")
            || line.text("operation") == "interrupt"
            || line.text("operation") == "release";
        let is_own = ends && line.token() == owner.token();
        let is_next = line.kind == "claimed" && line.at > owner.at && line.token() > owner.token();
        line.at < until.at && (is_own || is_next)
    })
}

/// Until when the lease of an owner lives at least, by what the store has confirmed before this line.
fn alive_until(lines: &[Line], owner: &Line, before: &Line) -> u64 {
    // The first time that it was sent: the reply may have been lost.
    let is_own = |line: &&Line| line.text("owner") == owner.text("owner");
    let Some(claim) = of(lines, "claiming").find(is_own) else { return 0 };
    let lease = claim.number("lease");
    let mut alive = claim.time() + lease;
    let mut asked = None;
    for line in lines.iter().filter(|line| line.at < before.at && line.token() == owner.token()) {
        match (&*line.kind, line.text("operation")) {
            ("writing", "renew") => asked = Some(line.time()),
            ("written", "renew") => alive = alive.max(asked.map_or(0, |asked| asked + lease)),
            _ => {}
        }
    }
    alive
}

/// When nothing befalls anybody any more, something final becomes of each key.
fn liveness(key: &str, lines: &[Line]) -> Vec<String> {
    let last: Vec<_> = of(lines, "answer").filter(|answer| answer.is("last")).collect();
    let is_mismatch = |answer: &&Line| answer.text("outcome") == "KeyMismatch";
    // Then the key may be that of the other amount, whose claim nobody has heard of.
    let may_mismatch = of(lines, "call").any(|call| call.number("amount") != 1);
    let ends = last.iter().any(|answer| {
        is_final(key, answer.text("outcome")) && (may_mismatch || !is_mismatch(answer))
    });
    if ends || kind(key) == "short" {
        return Vec::new();
    }
    let outcomes: Vec<_> = last.iter().map(|answer| answer.text("outcome")).collect();
    vec![format!("the calls at the end had {outcomes:?}")]
}

/// Nobody gets the result of another request.
fn a_mismatch_has_no_result(_: &str, lines: &[Line]) -> Vec<String> {
    of(lines, "answer")
        .filter(|answer| answer.text("outcome") == "Ok")
        .filter(|answer| amount_of(answer.value()) != Some(answer.number("amount")))
        .map(|answer| format!("{} for the amount {}", answer.value(), answer.number("amount")))
        .collect()
}

impl Report {
    /// Whether this check has found something.
    pub fn found(&self, check: &str) -> bool {
        self.violations.iter().any(|violation| violation.check == check)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.counts {
            write!(f, "{what} {count}, ")?;
        }
        write!(f, "violations {}", self.violations.len())?;
        for Violation { check, key, what } in &self.violations {
            write!(f, "\n  {check}: {key}: {what}")?;
        }
        self.kept_in.as_ref().map_or(Ok(()), |kept| write!(f, "\n  see {}", kept.display()))
    }
}

#[cfg(test)]
mod tests;
