use std::io;

use steadfast::circuit_breaker;

#[circuit_breaker(failure_threshold = 0.5, reset_timeout = "30s", half_open_max_calls = 2, minimum_number_of_calls = 10)]
async fn price(host: &str) -> io::Result<usize> {
    Ok(host.len())
}

fn main() {
    drop(price(""));
}
