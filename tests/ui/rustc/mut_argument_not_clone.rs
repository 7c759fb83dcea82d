use std::io;

use steadfast::retry;

struct Cart(u64);

#[retry]
async fn price(mut cart: Cart) -> io::Result<u64> {
    cart.0 += 1;
    Ok(cart.0)
}

fn main() {
    drop(price(Cart(3)));
}
