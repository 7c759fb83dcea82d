use client::{ApiError, Client};
use steadfast::{
    deadline,
    fault::{Class, Fault},
    retry,
};

mod client;

#[tokio::main]
async fn main() {
    println!("{:?}", fetch(&Client { salt: 7 }, 1).await);
}

#[deadline("2s")]
#[retry]
async fn fetch(client: &Client, id: u64) -> Result<u64, ApiError> {
    client.get(id).await
}

impl Fault for ApiError {
    fn class(&self) -> Class {
        match self {
            Self::Unavailable => Class::Transient,
            Self::TimedOut => Class::Ambiguous,
        }
    }
}

impl From<steadfast::Error> for ApiError {
    fn from(_: steadfast::Error) -> Self {
        Self::TimedOut
    }
}
