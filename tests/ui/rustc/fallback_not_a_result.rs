use steadfast::fallback;

#[fallback(expr = None)]
async fn price(movie: u64) -> Option<u64> {
    Some(movie)
}

fn main() {
    drop(price(1));
}
