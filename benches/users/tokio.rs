use client::{ApiError, Client};

mod client;

#[tokio::main]
async fn main() {
    println!("{:?}", fetch(&Client { salt: 7 }, 1).await);
}

async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
    client.get(id).await
}
