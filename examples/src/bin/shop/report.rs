//! A scenario's table, and how a table is set.

use std::time::Duration;

use comfy_table::{CellAlignment, ColumnConstraint, LineStyle, Table, TableStyle, Width};

use crate::{figures::Figures, retries::RetryCounts, run::Clients, scenario::Scenario};

/// Says who the columns are.
pub(crate) const LEGEND: &str = "\
plain         one request, no time limit
loop by hand  four attempts of at most 500 ms, 100 ms apart, whatever the provider asks
steadfast     #[deadline(\"2s\")] #[retry(max = 4, budget = self.budget, safe)] #[deadline(\"500ms\")]
";

/// Sets a scenario's story and figures, one client beside the other.
pub(crate) fn table(scenario: &Scenario, clients: &Clients<Figures>) -> String {
    format!("{}: {}\n\n{}\n", scenario.name, scenario.story, set(&ROWS, clients))
}

/// Sets the figures of each client in a column of its own.
pub(crate) fn set<F>(rows: &[Row<F>], clients: &Clients<F>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(["", "plain", "loop by hand", "steadfast"]);
    for &(name, figure) in rows {
        let [plain, by_hand, steadfast] =
            [&clients.plain, &clients.by_hand, &clients.steadfast].map(figure);
        table.add_row([name.to_owned(), plain, by_hand, steadfast]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(14)));
    }
    table.trim_fmt()
}

/// A row's name and how its figure is read.
pub(crate) type Row<F> = (&'static str, fn(&F) -> String);

const ROWS: [Row<Figures>; 12] = [
    ("calls", |f| f.calls.to_string()),
    ("requests at the provider", |f| f.requests.to_string()),
    ("load amplification", |f| format!("x {:.2}", f.load())),
    ("retries: transient", |f| retries(f, |r| r.transient)),
    ("retries: throttled", |f| retries(f, |r| r.throttled)),
    ("retries: ambiguous", |f| retries(f, |r| r.ambiguous)),
    ("retries the budget refused", |f| retries(f, |r| r.refused)),
    ("p50", |f| millis(f.p50)),
    ("p99", |f| millis(f.p99)),
    ("failures seen by customers", |f| f.failures.to_string()),
    ("  of them, paid all the same", |f| f.paid_failures.to_string()),
    ("double charges", |f| f.double_charges.to_string()),
];

fn retries(figures: &Figures, count: fn(RetryCounts) -> u32) -> String {
    figures.retries.map_or_else(|| "-".to_owned(), |counts| count(counts).to_string())
}

pub(crate) fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
