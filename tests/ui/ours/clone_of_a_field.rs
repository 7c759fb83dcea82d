use std::io;

use steadfast::retry;

#[retry(clone(order.body))]
async fn price(order: (String, u64)) -> io::Result<u64> {
    Ok(order.1)
}

fn main() {
    drop(price((String::new(), 3)));
}
