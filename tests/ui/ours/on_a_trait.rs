use std::io;

use steadfast::deadline;

#[deadline("2s")]
trait Prices {
    fn price(&self) -> impl Future<Output = io::Result<u64>>;
}

struct Fixed(u64);

impl Prices for Fixed {
    async fn price(&self) -> io::Result<u64> {
        Ok(self.0)
    }
}

fn main() {
    drop(Fixed(3).price());
}
