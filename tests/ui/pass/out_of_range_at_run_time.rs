//! What would be a mistake as a literal is brought into range where only run time knows it.

use std::{io, time::Duration};

use steadfast::{deadline, retry};

const ONCE: u32 = 1;
const ZERO: Duration = Duration::ZERO;
const SHRINK: f64 = 0.5;

#[deadline(ZERO, reserve = ZERO)]
#[retry(max = ONCE, base = ZERO, cap = ZERO, factor = SHRINK)]
#[deadline(ZERO)]
async fn constants() -> io::Result<u64> {
    Ok(3)
}

#[deadline(limit)]
#[retry(max = limit.subsec_nanos(), base = limit * 2, cap = limit, factor = -1.0 - SHRINK)]
async fn arguments(limit: Duration) -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop((constants(), arguments(ZERO)));
}
