use steadfast::deadline;

struct PriceError;

#[deadline("2s")]
fn price() -> impl Future<Output = Result<u64, PriceError>> {
    async move { Err(PriceError) }
}

fn main() {
    drop(price());
}
