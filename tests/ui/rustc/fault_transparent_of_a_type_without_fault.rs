use std::fmt;

use steadfast::Fault;

#[derive(Fault)]
enum PriceError {
    #[fault(transparent)]
    Format(fmt::Error),
}

fn main() {
    drop(PriceError::Format(fmt::Error).class());
}
