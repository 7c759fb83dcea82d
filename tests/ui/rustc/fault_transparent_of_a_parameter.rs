use steadfast::Fault;

#[derive(Fault)]
enum PriceError<E> {
    #[fault(transparent)]
    Peer(E),
}

fn main() {
    drop(PriceError::Peer(3));
}
