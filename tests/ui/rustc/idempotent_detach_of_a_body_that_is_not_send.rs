use std::io;

use steadfast::idempotent;

#[idempotent(key = order, detach)]
async fn charge(order: u64) -> io::Result<u64> {
    let amount = std::rc::Rc::new(order);
    std::future::ready(()).await;
    Ok(*amount)
}

fn main() {
    drop(charge(1));
}
