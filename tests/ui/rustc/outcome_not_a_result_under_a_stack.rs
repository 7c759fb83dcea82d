use steadfast::{deadline, retry};

#[deadline("2s")]
#[retry]
#[deadline("1s")]
async fn price() -> Option<u64> {
    Some(3)
}

fn main() {
    drop(price());
}
