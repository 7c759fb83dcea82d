use std::io;

use steadfast::retry;

#[tokio::main(flavor = "current_thread")]
#[retry]
async fn main() -> io::Result<()> {
    Ok(())
}
