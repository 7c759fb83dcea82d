use std::io;

use steadfast::retry;

fn note(attempt: u32) {
    println!("{attempt}");
}

#[retry(on_retry = note)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    drop(price());
}
