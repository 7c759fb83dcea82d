//! The table of recommendations.

use std::time::Duration;

use steadfast::circuit_breaker::Snapshot;

use super::{
    day::{Day, USERS},
    figures::Figures,
};
use crate::{
    report::{Row, millis, set},
    run::Clients,
};

/// Says who the columns are.
const LEGEND: &str = "\
plain         one request, no time limit
loop by hand  three attempts of at most 150 ms, 50 ms apart
steadfast     #[fallback(stale = \"5m\", key = user, bestsellers)] #[deadline(\"400ms\")]
              #[retry(max = 3, cap = \"100ms\", safe)]
              #[circuit_breaker(window = 20, open_for = \"500ms\", max_open_for = \"2s\")]
              #[deadline(\"150ms\")]

The breaker opens when 10 of the last 20 calls failed, and again at each probe that fails. Its price
is the time to recover: until the next probe it cannot know that the provider is back.
";

/// Sets the day's story and figures, one client beside the other.
pub(crate) fn table(day: Day, clients: &Clients<Figures>) -> String {
    let Day { works, dead, .. } = day;
    let [works, dead] = [works, dead].map(|time| time.as_secs_f64());
    format!(
        "recommendations: their provider works for {works} s, is dead for {dead} s (it hangs up, \
         answers 503, or\nis silent), and works again. {} pages ask it, 100 a second, for {USERS} \
         users who come again.\n\n{LEGEND}\n{}\n",
        day.pages(),
        set(&ROWS, clients)
    )
}

const ROWS: [Row<Figures>; 13] = [
    ("pages", |f| f.pages.to_string()),
    ("  with live recommendations", |f| f.live.to_string()),
    ("  with the last good ones", |f| f.last_good.to_string()),
    ("    the oldest of them", |f| f.oldest.map_or_else(none, seconds)),
    ("  with bestsellers", |f| f.bestsellers.to_string()),
    ("  with nothing", |f| f.empty.to_string()),
    ("p50", |f| millis(f.p50)),
    ("p99", |f| millis(f.p99)),
    ("requests at the dead provider", |f| f.requests_while_dead.to_string()),
    ("  refused by the breaker instead", |f| f.spared.to_string()),
    ("times the breaker opened", |f| f.breaker.as_ref().map_or_else(none, opened)),
    ("time to recover: first live page", |f| f.recovery.first.map_or_else(never, seconds)),
    ("time to recover: all pages live", |f| f.recovery.whole.map_or_else(never, seconds)),
];

fn opened(breaker: &Snapshot) -> String {
    breaker.counted.opened.to_string()
}

fn none() -> String {
    "-".to_owned()
}

fn never() -> String {
    "never".to_owned()
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
