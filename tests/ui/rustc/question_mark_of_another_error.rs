use steadfast::{Fault, retry};

#[derive(Fault)]
enum PriceError {
    #[fault(permanent)]
    Unknown,
}

struct Unreadable;

fn read(_: &str) -> Result<u64, Unreadable> {
    Err(Unreadable)
}

#[retry]
async fn price(text: &str) -> Result<u64, PriceError> {
    if text.is_empty() {
        return Err(PriceError::Unknown);
    }
    Ok(read(text)?)
}

fn main() {
    drop(price("3"));
}
