//! What the ledger has written down, by key.

use std::collections::BTreeMap;

use serde_json::Value;

/// All lines of a run, in the ledger's order.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) keys: BTreeMap<String, Vec<Line>>,
    pub(crate) lines: usize,
}

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Where it stands among all.
    pub(crate) at: usize,
    pub(crate) kind: String,
    said: Value,
}

impl History {
    pub(crate) fn read(text: &str) -> Self {
        let mut history = Self::default();
        for (at, line) in text.lines().enumerate() {
            let said: Value = serde_json::from_str(line).expect("whole lines");
            let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
            let (key, kind) = (text("key"), text("kind"));
            history.lines += 1;
            history.keys.entry(key).or_default().push(Line { at, kind, said });
        }
        history
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.keys.values().flatten().filter(|line| line.kind == kind).count()
    }
}

impl Line {
    pub(crate) fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.said[name].as_u64().unwrap_or_default()
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.said[name] == true
    }

    /// When it was written, in milliseconds of the ledger's clock.
    pub(crate) fn time(&self) -> u64 {
        self.number("at")
    }

    pub(crate) fn token(&self) -> u64 {
        self.number("token")
    }

    pub(crate) fn value(&self) -> &str {
        self.text("value")
    }
}

/// Which amount the body that made a value had.
pub(crate) fn amount_of(value: &str) -> Option<u64> {
    value.split('|').nth(1)?.parse().ok()
}

/// Which call ran the body that made a value.
pub(crate) fn call_of(value: &str) -> Option<u64> {
    value.split('|').nth(2)?.parse().ok()
}

/// Which token the body that made a value had.
pub(crate) fn token_of(value: &str) -> Option<u64> {
    value.split('|').nth(3)?.parse().ok()
}

/// The lines of a kind.
pub(crate) fn of<'a>(lines: &'a [Line], kind: &'a str) -> impl Iterator<Item = &'a Line> {
    lines.iter().filter(move |line| line.kind == kind)
}
