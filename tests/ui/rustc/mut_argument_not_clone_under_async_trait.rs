use std::io;

use async_trait::async_trait;
use steadfast::retry;

struct Cart(u64);

#[async_trait]
trait Prices {
    async fn price(&self, cart: Cart) -> io::Result<u64>;
}

struct Shop;

#[async_trait]
impl Prices for Shop {
    #[retry]
    async fn price(&self, mut cart: Cart) -> io::Result<u64> {
        cart.0 += 1;
        Ok(cart.0)
    }
}

fn main() {
    drop(Shop.price(Cart(3)));
}
