use std::io;

use steadfast::retry;

struct Cart(Vec<u64>);

impl Cart {
    #[retry]
    async fn first(&mut self) -> io::Result<&mut u64> {
        self.0.first_mut().ok_or_else(|| io::Error::other("empty"))
    }
}

fn main() {
    drop(Cart(Vec::new()).first());
}
