//! A `mut` argument is a fresh copy, wherever it stands; only `mut self` cannot be one.

use std::io;

use async_trait::async_trait;
use steadfast::{deadline, retry};

#[retry]
async fn pattern(mut names: Vec<String>, (mut a, b): (u64, u64)) -> io::Result<u64> {
    names.push(String::new());
    a += b;
    Ok(a)
}

struct Cart(Vec<u64>);

impl Cart {
    #[deadline("2s")]
    async fn total(mut self) -> io::Result<u64> {
        self.0.push(1);
        Ok(self.0.iter().sum())
    }
}

#[async_trait]
trait Prices {
    async fn price(&self, names: Vec<String>, pair: (u64, u64)) -> io::Result<u64>;
}

#[async_trait]
impl Prices for Cart {
    #[retry]
    async fn price(&self, mut names: Vec<String>, (mut a, b): (u64, u64)) -> io::Result<u64> {
        names.push(String::new());
        a += b;
        Ok(a)
    }
}

fn main() {
    drop((pattern(Vec::new(), (3, 4)), Cart(Vec::new()).total()));
    drop(Cart(Vec::new()).price(Vec::new(), (3, 4)));
}
