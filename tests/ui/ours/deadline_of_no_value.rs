use std::io;
use steadfast::deadline;

#[deadline(fn)]
async fn price() -> io::Result<u64> {
    Ok(3)
}

fn main() {
    let _ = price();
}
