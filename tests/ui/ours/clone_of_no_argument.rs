use std::io;

use steadfast::retry;

#[retry(clone(bdy))]
async fn price(body: String) -> io::Result<u64> {
    Ok(body.into_bytes().len() as u64)
}

fn main() {
    drop(price(String::new()));
}
