use std::io;

use async_trait::async_trait;
use steadfast::retry;

#[async_trait]
trait Prices {
    async fn total(self) -> io::Result<u64>;
}

struct Cart(Vec<u64>);

#[async_trait]
impl Prices for Cart {
    #[retry]
    async fn total(mut self) -> io::Result<u64> {
        self.0.push(1);
        Ok(self.0.iter().sum())
    }
}

fn main() {
    drop(Cart(Vec::new()).total());
}
