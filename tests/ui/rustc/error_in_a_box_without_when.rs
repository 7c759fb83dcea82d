use std::error::Error;

use steadfast::retry;

#[retry(max = 5)]
async fn price() -> Result<u64, Box<dyn Error>> {
    Err("sold out")?
}

fn main() {
    drop(price());
}
