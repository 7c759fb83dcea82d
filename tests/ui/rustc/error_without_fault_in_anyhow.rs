use steadfast::retry;

#[retry]
async fn price() -> anyhow::Result<u64> {
    anyhow::bail!("sold out")
}

fn main() {
    drop(price());
}
