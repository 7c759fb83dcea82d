use std::io;

use steadfast::retry;

#[retry(clone)]
async fn price(body: String) -> io::Result<u64> {
    Ok(body.len() as u64)
}

fn main() {
    drop(price(String::new()));
}
