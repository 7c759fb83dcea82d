use steadfast::Fault;

#[derive(Fault)]
enum PriceError {
    #[fault(throttled = seconds)]
    Slow { seconds: u64 },
}

fn main() {
    drop(PriceError::Slow { seconds: 3 }.class());
}
