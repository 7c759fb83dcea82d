//! What only shows with a disk of our own: how often it is synced, and what is left when it fails.

mod disk;
mod faults;
mod group;
mod model;
mod power;

use steadfast::idempotent::{Acquired, Claim, Claimed, Key, KeyStore, Stored};

use self::disk::TestDisk;
use crate::{Durability, OpenError, Options, RedbStore, open::Opener};

fn open(disk: &TestDisk) -> RedbStore {
    open_as(disk, Durability::Full).unwrap()
}

fn open_as(disk: &TestDisk, durability: Durability) -> Result<RedbStore, OpenError> {
    let file = disk.clone();
    let opener = Opener::new(move || Ok(Box::new(file.plug_in())), durability, 1 << 20);
    Options::new().durability(durability).start(opener, "test".as_ref())
}

fn key(number: u64) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

fn result(number: u64) -> Stored {
    Stored::of(&number)
}

async fn acquire(store: &RedbStore, number: u64, owner: u128) -> Acquired {
    match store.claim(&key(number), &Claim::new(owner)).await.unwrap() {
        Claimed::Acquired(acquired) => acquired,
        other => panic!("{other:?}"),
    }
}

/// Numbers by chance that are the same each time.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end.max(1)
    }
}
