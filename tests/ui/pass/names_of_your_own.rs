//! Constants and arguments that are called what a key or a word of ours could be, and attributes
//! that are called something else where no order depends on it.

use std::{io, time::Duration};

use steadfast::{
    deadline, retry, retry as again,
    retry::{Jitter, RetryBudget},
};

#[allow(non_upper_case_globals)]
const spread: Jitter = Jitter::Equal;
const BASE: Duration = Duration::from_millis(50);

static STRIPE: RetryBudget = RetryBudget::new();

#[deadline(BASE)]
#[retry(base = BASE, jitter = spread, budget = STRIPE)]
async fn constants() -> io::Result<u64> {
    Ok(3)
}

#[deadline]
#[retry(clone(clone, safe))]
async fn arguments(clone: String, safe: String) -> io::Result<String> {
    Ok(clone + &safe)
}

#[again(max = 2)]
#[deadline("2s")]
async fn attributes() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop((constants(), arguments(String::new(), String::new()), attributes()));
}
