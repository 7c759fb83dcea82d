use steadfast::retry;

#[retry]
struct Order {
    price: u64,
}

fn main() {
    println!("{}", Order { price: 3 }.price);
}
