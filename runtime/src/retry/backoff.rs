use std::time::Duration;

use super::{Backoff, Retry};

impl Retry {
    /// Whether the waits after this attempt, at their longest, are longer together than `time`.
    pub(super) fn outlasts(&self, time: Duration, attempt: u32) -> bool {
        let mut left = nanos(time);
        // No more of them than matter: even the shortest of waits is doubled soon.
        for attempt in attempt..self.max.min(attempt.saturating_add(100)) {
            left = left.saturating_sub(self.ceiling_nanos(attempt));
        }
        left == 0
    }

    /// The wait after `attempt` (from 1), before jitter and without a hint of the peer.
    ///
    /// Never above the cap, for any attempt and any settings; the arithmetic saturates.
    ///
    /// # Example: doubling
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::retry::Retry;
    ///
    /// let waits = [1, 2, 3].map(|attempt| Retry::new().ceiling(attempt));
    /// assert_eq!(waits, [100, 200, 400].map(Duration::from_millis));
    /// ```
    pub fn ceiling(&self, attempt: u32) -> Duration {
        Duration::from_nanos(self.ceiling_nanos(attempt))
    }

    pub(super) fn ceiling_nanos(&self, attempt: u32) -> u64 {
        let base = nanos(self.base);
        let nth = attempt.max(1);
        let wait = match self.backoff {
            Backoff::Exponential => exponential(base, self.factor, nth - 1),
            Backoff::Fibonacci => base.saturating_mul(fibonacci(nth)),
            Backoff::Fixed => base,
            Backoff::Linear => base.saturating_mul(nth.into()),
        };
        wait.min(self.cap_nanos())
    }

    pub(super) fn cap_nanos(&self) -> u64 {
        nanos(self.cap)
    }

    pub(super) fn base_nanos(&self) -> u64 {
        nanos(self.base).min(self.cap_nanos())
    }
}

/// Waits are counted in nanoseconds; what does not fit (584 years) is the longest wait.
pub(super) fn nanos(wait: Duration) -> u64 {
    wait.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the factor is at least 1, exact to 2^53 ns (104 days), and the cast back saturates"
)]
fn exponential(base: u64, factor: f64, exponent: u32) -> u64 {
    if base == 0 {
        return 0; // 0 · ∞ is not a number
    }
    (base as f64 * factor.powf(f64::from(exponent))) as u64
}

/// 1, 1, 2, 3, 5, … for `nth` from 1.
fn fibonacci(nth: u32) -> u64 {
    let (mut this, mut next) = (1_u64, 1_u64);
    for _ in 1..nth {
        (this, next) = (next, this.saturating_add(next));
        if this == u64::MAX {
            break;
        }
    }
    this
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_policy() -> impl Strategy<Value = Retry> {
        let backoff = prop_oneof![
            Just(Backoff::Exponential),
            Just(Backoff::Fibonacci),
            Just(Backoff::Fixed),
            Just(Backoff::Linear)
        ];
        let wait = || {
            prop_oneof![any::<Duration>(), (0..10_000_000_000_u64).prop_map(Duration::from_nanos)]
        };
        let factor = prop_oneof![any::<f64>(), 1.0..10.0];
        (backoff, wait(), wait(), factor).prop_map(|(backoff, base, cap, factor)| {
            Retry::new().backoff(backoff).base(base).cap(cap).factor(factor)
        })
    }

    proptest! {
        #[test]
        fn never_above_the_cap_and_never_falls(policy in any_policy(), attempt in 1..u32::MAX) {
            let wait = policy.ceiling(attempt);
            prop_assert!(wait <= policy.cap);
            prop_assert!(policy.ceiling(attempt + 1) >= wait);
            prop_assert!(policy.ceiling(u32::MAX) >= wait);
        }

        #[test]
        fn the_first_wait_is_the_base(policy in any_policy()) {
            let base = policy.base.min(policy.cap);
            let error = policy.ceiling(1).abs_diff(base.min(Duration::from_nanos(u64::MAX)));
            // `f64` holds 53 bits: a wait of over 104 days is off by less than a part in 2^52.
            prop_assert!(error.as_nanos() <= base.as_nanos() >> 52, "{error:?}");
        }

        #[test]
        fn doubling_is_exact(base in 1..1_000_000_u64, attempt in 1..30_u32) {
            let policy = Retry::new().base(Duration::from_nanos(base)).cap(Duration::MAX);
            prop_assert_eq!(policy.ceiling_nanos(attempt), base << (attempt - 1));
        }
    }

    #[test]
    fn the_four_series() {
        let waits = |backoff| {
            let policy = Retry::new().backoff(backoff).base(Duration::from_millis(10));
            [1, 2, 3, 4, 5, 6].map(|attempt| policy.ceiling(attempt).as_millis())
        };
        assert_eq!(waits(Backoff::Exponential), [10, 20, 40, 80, 160, 320]);
        assert_eq!(waits(Backoff::Fibonacci), [10, 10, 20, 30, 50, 80]);
        assert_eq!(waits(Backoff::Fixed), [10; 6]);
        assert_eq!(waits(Backoff::Linear), [10, 20, 30, 40, 50, 60]);
    }

    #[test]
    fn run_time_values_out_of_range() {
        let base = Duration::from_millis(10);
        let second = |factor| Retry::new().base(base).factor(factor).ceiling(2);
        assert_eq!(second(f64::NAN), base * 2);
        assert_eq!(second(0.5), base);
        assert_eq!(second(-3.0), base);
        assert_eq!(second(f64::NEG_INFINITY), base);
        assert_eq!(second(f64::INFINITY), Duration::from_secs(10));
        let infinite = Retry::new().base(base).factor(f64::INFINITY);
        assert_eq!(infinite.ceiling(1), base);
        assert_eq!(infinite.base(Duration::ZERO).ceiling(2), Duration::ZERO);
        assert_eq!(Retry::new().max(0), Retry::new().max(1));
        let over = Retry::new().base(Duration::from_secs(20)).cap(Duration::from_secs(1));
        assert_eq!(over.ceiling(1), Duration::from_secs(1));
    }
}
