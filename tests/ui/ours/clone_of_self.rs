use std::io;

use steadfast::retry;

struct Shop(String);

impl Shop {
    #[retry(clone(self))]
    async fn name(self) -> io::Result<String> {
        Ok(self.0)
    }
}

fn main() {
    drop(Shop(String::new()).name());
}
