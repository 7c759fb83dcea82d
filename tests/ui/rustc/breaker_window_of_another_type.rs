use std::{io, time::Duration};

use steadfast::circuit_breaker;

const WINDOW: Duration = Duration::from_secs(60);

#[circuit_breaker(window = WINDOW, probes = 1u64)]
async fn charge(cents: u64) -> io::Result<u64> {
    Ok(cents)
}

fn main() {
    drop(charge(1));
}
