use steadfast::deadline;

#[deadline("2s")]
async fn price() -> u64 {
    3
}

fn main() {
    drop(price());
}
