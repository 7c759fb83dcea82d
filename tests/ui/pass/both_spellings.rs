//! `key = value` and `key(value)`, quoted or not: the same.

use std::{io, time::Duration};

use steadfast::{
    deadline, retry,
    retry::{Backoff, Jitter},
};

fn is_transient(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

#[deadline("2s", reserve = "50ms")]
#[retry(max = 3, base = "100ms", factor = 2, cap = "10s", jitter = "equal", when = is_transient)]
async fn equals() -> io::Result<u64> {
    Ok(3)
}

#[deadline("2s", reserve("50ms"))]
#[retry(max(3), base("100ms"), factor(2.0), cap("10s"), jitter("equal"), when(is_transient))]
async fn parentheses() -> io::Result<u64> {
    Ok(3)
}

#[deadline(2s, reserve = 50ms,)]
#[retry(max = 3, base = 100ms, backoff = fibonacci, cap(10s), jitter(equal), safe,)]
async fn bare() -> io::Result<u64> {
    Ok(3)
}

#[deadline(Duration::from_secs(2), reserve(Duration::from_millis(50)))]
#[retry(backoff = Backoff::Linear, jitter(Jitter::Equal), when(|error| is_transient(error)))]
async fn expressions() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop((equals(), parentheses(), bare(), expressions()));
}
