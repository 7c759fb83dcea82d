use steadfast::retry;

#[retry]
async fn warm_up() {
    println!("warm");
}

fn main() {
    drop(warm_up());
}
