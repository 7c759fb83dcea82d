use std::{io, pin::Pin};
use steadfast::retry;

#[retry]
fn price(cached: bool) -> Pin<Box<dyn Future<Output = io::Result<u64>> + Send>> {
    if cached {
        return Box::pin(async { Ok(3) });
    }
    let known = [1, 2].iter().map(|n| { return n + 1; }).sum::<u64>();
    Box::pin(async move { Ok(known) })
}

fn main() {
    let _ = price(true);
}
