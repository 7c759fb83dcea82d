//! The randomness of every policy: one generator a thread, which a test can seed.

use std::{
    cell::Cell,
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
};

thread_local! {
    /// Zero until the first draw: the one state in 2^64 that is drawn anew.
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Starts this thread's randomness anew.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn seed(seed: u64) {
    STATE.set(seed.wrapping_add(GAMMA));
}

/// A number from `from` to `to`, each as likely as any other but for one part in 2^64 of the range.
pub(crate) fn between(from: u64, to: u64) -> u64 {
    let span = u128::from(to.saturating_sub(from)) + 1;
    // The upper half of the product: what is left of 2^64 after it is spread and not dropped.
    let offset = (u128::from(draw()) * span) >> 64;
    from + u64::try_from(offset).unwrap_or(0)
}

/// A number from -1 to 1.
pub(crate) fn signed_unit() -> f64 {
    // 53 bits, which an `f64` holds exactly.
    #[expect(clippy::cast_precision_loss, reason = "there are no more bits than it holds")]
    let unit = (draw() >> 11) as f64 / ((1_u64 << 53) - 1) as f64;
    unit.mul_add(2.0, -1.0)
}

/// `SplitMix64`, by Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014):
/// plenty to spread waits, and no more than that.
fn draw() -> u64 {
    let state = match STATE.get() {
        0 => entropy(),
        state => state,
    };
    STATE.set(state.wrapping_add(GAMMA));
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The keys of std's hash maps come from the operating system.
pub(crate) fn entropy() -> u64 {
    RandomState::new().build_hasher().finish()
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_as_the_paper_does() {
        // The reference implementation's first three numbers from the seed 1234567.
        seed(1_234_567);
        assert_eq!(
            [draw(), draw(), draw()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn reaches_both_ends_and_no_further() {
        seed(7);
        let mut seen = [0; 3];
        for _ in 0..300 {
            seen[usize::try_from(between(5, 7) - 5).expect("small")] += 1;
        }
        assert!(seen.iter().all(|&count| count > 70), "{seen:?}");
        assert_eq!(between(9, 9), 9);
        assert!((0..100).any(|_| between(0, u64::MAX) > u64::MAX / 2));
        assert!((0..1_000).all(|_| (-1.0..=1.0).contains(&signed_unit())));
    }
}
