use std::io;
use steadfast::{deadline, retry};

#[deadline("2s")]
#[retry]
async fn price(movie: String) -> io::Result<u64> {
    ask(movie).await
}

async fn ask(_movie: String) -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = price(String::new());
}
