use std::io;

use steadfast::idempotent;

struct Shop;

impl Shop {
    #[idempotent(key = order, scope = "Shop::charge", detach)]
    async fn charge(&self, order: u64, name: Option<&str>, rest: &'static str) -> io::Result<u64> {
        let _ = (name, rest);
        Ok(order)
    }
}

fn main() {
    drop(Shop.charge(1, Some(""), ""));
}
