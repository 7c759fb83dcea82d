use std::io;

use steadfast::retry;

struct Shop(u64);

#[retry]
impl Shop {
    async fn price(&self) -> io::Result<u64> {
        Ok(self.0)
    }
}

fn main() {
    drop(Shop(3).price());
}
