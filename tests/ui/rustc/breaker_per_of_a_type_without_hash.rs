use std::io;

use steadfast::circuit_breaker;

struct Host;

#[circuit_breaker(per = host)]
async fn charge(host: &Host) -> io::Result<u64> {
    let _ = host;
    Ok(1)
}

fn main() {
    drop(charge(&Host));
}
