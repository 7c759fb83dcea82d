use std::io;

use steadfast::retry;

struct PriceError;

fn is_transient(_: &PriceError) -> bool {
    true
}

#[retry(when = is_transient)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
