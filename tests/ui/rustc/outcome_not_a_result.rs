use steadfast::retry;

#[retry]
async fn price() -> Option<u64> {
    Some(3)
}

fn main() {
    drop(price());
}
