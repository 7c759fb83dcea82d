use std::io;

use steadfast::retry;

async fn send(order: String) -> io::Result<u64> {
    Ok(order.len() as u64)
}

#[retry]
async fn price(order: String) -> io::Result<u64> {
    send(order).await
}

fn main() {
    drop(price(String::new()));
}
