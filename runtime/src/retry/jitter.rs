use std::time::Duration;

use super::{Jitter, Retry, backoff::nanos};
use crate::random::between;

impl Retry {
    /// The wait after `attempt`, spread.
    ///
    /// A `hint` of the peer is a floor, and the spread goes on top of it, past the cap if need be:
    /// clients that were all told the same must not come back together. It is no less than a tenth
    /// of the hint, as the first waits are short.
    pub(super) fn wait(
        &self,
        attempt: u32,
        previous: &mut u64,
        hint: Option<Duration>,
    ) -> Duration {
        let (from, to) = self.range(attempt, *previous, hint.map(nanos));
        let wait = if from == to { to } else { between(from, to) };
        *previous = wait - from.min(hint.map_or(0, nanos));
        Duration::from_nanos(wait)
    }

    /// The range that the wait is drawn from, in nanoseconds.
    fn range(&self, attempt: u32, previous: u64, hint: Option<u64>) -> (u64, u64) {
        let (base, cap) = (self.base_nanos(), self.cap_nanos());
        let (from, to) = match self.jitter {
            Jitter::Decorrelated => (base, previous.max(base).saturating_mul(3).min(cap)),
            jitter => {
                let wait = self.ceiling_nanos(attempt);
                let from = match jitter {
                    Jitter::Equal => wait / 2,
                    Jitter::None => wait,
                    _ => 0,
                };
                (from, wait)
            }
        };
        match hint {
            None => (from, to),
            Some(hint) if self.jitter == Jitter::None => (to.max(hint), to.max(hint)),
            Some(hint) => (hint, hint.saturating_add(to.max(hint / 10))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::seed;

    const MILLI: u64 = 1_000_000;

    fn policy(jitter: Jitter) -> Retry {
        Retry::new().jitter(jitter).base(Duration::from_millis(10)).cap(Duration::from_millis(100))
    }

    /// Sixteen equal buckets over `[from, to]`, tested by χ² with 15 degrees of freedom: the limit
    /// is passed by chance once in 10⁵ runs, and the seed is fixed.
    fn assert_uniform(draws: impl Iterator<Item = u64>, from: u64, to: u64) {
        let mut buckets = [0_u32; 16];
        let mut count = 0_u32;
        for draw in draws {
            assert!((from..=to).contains(&draw), "{draw} is not in {from}..={to}");
            let bucket = u128::from(draw - from) * 16 / (u128::from(to - from) + 1);
            buckets[usize::try_from(bucket).expect("under 16")] += 1;
            count += 1;
        }
        let expected = f64::from(count) / 16.0;
        let chi2: f64 =
            buckets.iter().map(|&seen| (f64::from(seen) - expected).powi(2) / expected).sum();
        assert!(chi2 < 50.0, "χ² = {chi2:.1}: {buckets:?}");
    }

    #[test]
    fn full_and_equal_are_uniform_at_every_attempt_and_at_the_cap() {
        seed(1);
        for attempt in [1, 2, 3, 4, 5, 6, 50, u32::MAX] {
            for (jitter, from) in [(Jitter::Full, 0), (Jitter::Equal, 1)] {
                let policy = policy(jitter);
                let wait = policy.ceiling_nanos(attempt);
                let draws = (0..20_000).map(|_| nanos(policy.wait(attempt, &mut 0, None)));
                assert_uniform(draws, from * wait / 2, wait);
            }
        }
    }

    #[test]
    fn decorrelated_is_uniform_between_base_and_three_times_the_previous() {
        seed(2);
        let policy = policy(Jitter::Decorrelated);
        for (previous, to) in [(0, 30), (20, 60), (90, 100), (u64::MAX / MILLI, 100)] {
            let draws = (0..20_000).map(|_| nanos(policy.wait(1, &mut (previous * MILLI), None)));
            assert_uniform(draws, 10 * MILLI, to * MILLI);
        }
    }

    #[test]
    fn a_hint_is_a_floor_and_the_spread_goes_on_top() {
        seed(3);
        let hint = Some(Duration::from_millis(30));
        let draws = (0..20_000).map(|_| nanos(policy(Jitter::Full).wait(1, &mut 0, hint)));
        assert_uniform(draws, 30 * MILLI, 40 * MILLI);
        let draws = (0..20_000).map(|_| nanos(policy(Jitter::Full).wait(9, &mut 0, hint)));
        assert_uniform(draws, 30 * MILLI, 130 * MILLI);
        let none = policy(Jitter::None);
        assert_eq!(none.wait(1, &mut 0, hint), Duration::from_millis(30));
        assert_eq!(none.wait(3, &mut 0, hint), Duration::from_millis(40));
    }

    #[test]
    fn a_seed_repeats_the_waits() {
        let waits = || [1, 2, 3, 4].map(|attempt| policy(Jitter::Full).wait(attempt, &mut 0, None));
        seed(7);
        let first = waits();
        seed(7);
        assert_eq!(waits(), first);
        assert_ne!(waits(), first);
    }

    proptest! {
        #[test]
        fn no_wait_is_above_the_cap_or_below_the_hint(
            jitter in prop_oneof![
                Just(Jitter::Decorrelated), Just(Jitter::Equal), Just(Jitter::Full), Just(Jitter::None)
            ],
            base in any::<Duration>(), cap in any::<Duration>(), factor in any::<f64>(),
            attempt in any::<u32>(), mut previous in any::<u64>(), hint in any::<Option<Duration>>(),
        ) {
            let policy = Retry::new().jitter(jitter).base(base).cap(cap).factor(factor);
            let hint = hint.filter(|hint| *hint <= cap);
            let wait = policy.wait(attempt, &mut previous, hint);
            let most = cap.saturating_add(hint.unwrap_or_default());
            prop_assert!(wait <= most);
            prop_assert!(nanos(wait) >= hint.map_or(0, nanos));
        }
    }
}
