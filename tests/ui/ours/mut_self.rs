use std::io;

use steadfast::retry;

struct Cart(Vec<u64>);

impl Cart {
    #[retry]
    async fn total(mut self) -> io::Result<u64> {
        self.0.push(1);
        Ok(self.0.iter().sum())
    }
}

fn main() {
    drop(Cart(Vec::new()).total());
}
