use std::io;

use steadfast::retry;

struct Cart(u64);

#[retry(clone(cart))]
async fn price(cart: Cart) -> io::Result<u64> {
    drop(cart);
    Ok(3)
}

fn main() {
    drop(price(Cart(3)));
}
