use std::io;

use steadfast::idempotent;

struct Shop;

impl Shop {
    #[idempotent(key = order)]
    async fn charge(&self, order: u64) -> io::Result<u64> {
        Ok(order)
    }
}

fn main() {
    drop(Shop.charge(1));
}
