//! The randomness of every policy: one generator a thread, which a test can seed.

use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

use rand::{SeedableRng, rngs::SmallRng};

thread_local! {
    static RNG: Cell<Option<SmallRng>> = const { Cell::new(None) };
}

/// Starts this thread's randomness anew.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn seed(seed: u64) {
    RNG.set(Some(SmallRng::seed_from_u64(seed)));
}

pub(crate) fn with_rng<T>(draw: impl FnOnce(&mut SmallRng) -> T) -> T {
    let mut rng = RNG.take().unwrap_or_else(|| SmallRng::seed_from_u64(entropy()));
    let drawn = draw(&mut rng);
    RNG.set(Some(rng));
    drawn
}

/// The keys of std's hash maps come from the operating system.
fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}
