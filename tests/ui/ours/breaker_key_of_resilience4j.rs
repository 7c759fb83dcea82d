use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(failureRateThreshold = 0.5, sliding_window_size = 100, permitted_number_of_calls_in_half_open_state = 3, wait_duration_in_open_state = "30s")]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
