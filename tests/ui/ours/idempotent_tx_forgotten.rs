use std::{io, marker::PhantomData};

use steadfast::idempotent;

struct Postgres;
struct Transaction<'c, D>(PhantomData<&'c D>);

#[idempotent(key = order)]
async fn charge(tx: &mut Transaction<'_, Postgres>, order: u64) -> io::Result<u64> {
    let _ = tx;
    Ok(order)
}

fn main() {
    drop(charge(&mut Transaction(PhantomData), 1));
}
