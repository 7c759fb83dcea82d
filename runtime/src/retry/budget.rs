use std::{
    fmt,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{locked::locked, tally::Tally};

/// A limit on how much load retries may add, shared by all functions that name it.
///
/// Every call deposits [`ratio`](Self::ratio) of a token, every retry withdraws one. So that a
/// quiet client can retry too, deposits never fall under [`floor`](Self::floor) tokens a second.
/// When there is no token, the caller gets the original error at once.
///
/// A budget is a `static`, or a field of a client that lives as long as its dependency; one that is
/// made for a call holds nobody back, and does not compile in `budget = …`. Every `#[retry]` has one; without `budget = …` a function has its own. Functions that call the
/// same dependency should share one. The scheme is Finagle's (`RetryBudget`), and what the Google
/// SRE book, "Handling Overload", calls a per-client retry budget.
///
/// | setting | default |
/// |---|---|
/// | [`ratio`](Self::ratio) | 0.1 |
/// | [`floor`](Self::floor) | 10 a second |
/// | [`burst`](Self::burst) | 100 |
///
/// # Cost
///
/// A call that succeeds at once pays about a nanosecond: no clock, no lock, no shared cache line.
/// A call that fails takes a lock for some nanoseconds. A budget takes about 1.2 KB.
///
/// # Example: two functions, one dependency
///
/// ```
/// use std::io;
/// use steadfast::retry::{self, RetryBudget};
///
/// static STRIPE: RetryBudget = RetryBudget::new();
///
/// #[steadfast::retry(budget = STRIPE)]
/// async fn charge(cents: u64) -> io::Result<u64> {
///     Ok(cents)
/// }
///
/// #[steadfast::retry(budget = STRIPE)]
/// async fn refund(cents: u64) -> io::Result<u64> {
///     Ok(cents)
/// }
/// ```
pub struct RetryBudget {
    ratio: f64,
    floor: f64,
    burst: f64,
    calls: Tally<1>,
    bucket: Mutex<Bucket>,
}

impl RetryBudget {
    /// Makes a budget with the defaults.
    ///
    /// # Example: a budget for one dependency
    ///
    /// ```
    /// use steadfast::retry::RetryBudget;
    ///
    /// static STRIPE: RetryBudget = RetryBudget::new();
    /// ```
    pub const fn new() -> Self {
        Self {
            ratio: 0.1,
            floor: 10.0,
            burst: 100.0,
            calls: Tally::new(),
            bucket: Mutex::new(EMPTY),
        }
    }

    /// Sets what each call deposits, in tokens: the share by which retries may raise the load.
    /// Default 0.1; negative counts as 0, NaN as the default.
    ///
    /// # Example: at most a fifth more load
    ///
    /// ```
    /// use steadfast::retry::RetryBudget;
    ///
    /// static STRIPE: RetryBudget = RetryBudget::new().ratio(0.2);
    /// ```
    pub const fn ratio(mut self, tokens: f64) -> Self {
        self.ratio = in_range(tokens, 0.1);
        self
    }

    /// Sets the fewest tokens that are deposited in a second, however few the calls. It is also
    /// the balance at the start. Default 10; negative counts as 0, NaN as the default.
    ///
    /// # Example: one retry a second for a quiet client
    ///
    /// ```
    /// use steadfast::retry::RetryBudget;
    ///
    /// static STRIPE: RetryBudget = RetryBudget::new().floor(1.0);
    /// ```
    pub const fn floor(mut self, per_second: f64) -> Self {
        self.floor = in_range(per_second, 10.0);
        self
    }

    /// Sets the most tokens that can be saved up, and so the longest run of retries without a
    /// pause. Default 100; negative counts as 0 (no retry at all), NaN as the default.
    ///
    /// # Example: a short memory of good times
    ///
    /// ```
    /// use steadfast::retry::RetryBudget;
    ///
    /// static STRIPE: RetryBudget = RetryBudget::new().burst(20.0);
    /// ```
    pub const fn burst(mut self, tokens: f64) -> Self {
        self.burst = in_range(tokens, 100.0);
        self
    }

    /// Notes a call.
    #[inline]
    pub(super) fn deposit(&self) {
        self.calls.add_one(0);
    }

    /// Takes a token for a retry, if there is one.
    ///
    /// The clock is read only the first time, and where the share of the calls does not suffice.
    pub(super) fn withdraw(&self, now: impl Fn() -> Instant) -> bool {
        #[cfg(feature = "testing")]
        if crate::testing::budgets_are_lifted() {
            return true;
        }
        let mut bucket = locked(&self.bucket);
        let mut tokens = bucket.tokens.unwrap_or(self.floor) + self.share(&mut bucket);
        if tokens < ONE || bucket.at.is_none() {
            tokens += self.rest_of_floor(&mut bucket, now());
        }
        let tokens = tokens.min(self.burst);
        let granted = tokens >= ONE;
        bucket.tokens = Some(if granted { (tokens - 1.0).max(0.0) } else { tokens });
        granted
    }

    /// Starts anew, for another key.
    pub(crate) fn renew(&self) {
        let mut bucket = locked(&self.bucket);
        *bucket = Bucket { calls: self.calls.total(0), ..EMPTY };
    }

    /// What the calls since the last time have deposited.
    fn share(&self, bucket: &mut Bucket) -> f64 {
        let calls = self.calls.total(0);
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls")]
        let share = calls.saturating_sub(bucket.calls) as f64 * self.ratio;
        bucket.calls = calls;
        bucket.shared += share;
        share
    }

    /// What the floor has deposited since the clock was last read, over the share.
    fn rest_of_floor(&self, bucket: &mut Bucket, now: Instant) -> f64 {
        let elapsed = bucket.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let rest = elapsed.as_secs_f64() * self.floor - bucket.shared;
        bucket.at = Some(now);
        bucket.shared = 0.0;
        rest.max(0.0)
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ratio, floor, burst, calls: _, bucket: _ } = self;
        f.debug_struct("RetryBudget")
            .field("ratio", ratio)
            .field("floor", floor)
            .field("burst", burst)
            .finish_non_exhaustive()
    }
}

struct Bucket {
    /// `None` until the first withdrawal: the balance at the start depends on the settings.
    tokens: Option<f64>,
    /// The tally, the last time.
    calls: u64,
    /// What the calls have deposited since the clock was last read.
    shared: f64,
    /// When that was. Held against a clock that may have been set back by a paused test.
    at: Option<Instant>,
}

const EMPTY: Bucket = Bucket { tokens: None, calls: 0, shared: 0.0, at: None };

/// Ten tenths sum up to a hair under one.
const ONE: f64 = 1.0 - 1e-9;

const fn in_range(value: f64, default: f64) -> f64 {
    if value.is_nan() {
        default
    } else if value < 0.0 {
        0.0
    } else {
        value
    }
}

/// A budget that outlives the statement which names it: not a `const`, not one made on the spot.
#[inline]
pub fn shared(budget: &RetryBudget) -> &RetryBudget {
    budget
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn drain(budget: &RetryBudget, now: Instant) -> usize {
        (0..100_000).take_while(|_| budget.withdraw(|| now)).count()
    }

    #[test]
    fn a_tenth_of_the_calls() {
        let (budget, now) = (RetryBudget::new(), Instant::now());
        assert_eq!(drain(&budget, now), 10, "the start: a second of the floor");
        for _ in 0..500 {
            budget.deposit();
        }
        assert_eq!(drain(&budget, now), 50);
    }

    #[test]
    fn fractions_are_not_lost() {
        for ratio in [0.35, 0.6, 0.7, 0.9] {
            let budget = RetryBudget::new().ratio(ratio).floor(0.0).burst(1e9);
            let now = Instant::now();
            let mut granted = 0;
            for _ in 0..10_000 {
                budget.deposit();
                granted += u32::from(budget.withdraw(|| now));
            }
            assert!((f64::from(granted) - 10_000.0 * ratio).abs() <= 1.0, "{ratio}: {granted}");
        }
    }

    #[test]
    fn the_floor_flows_with_time_and_is_not_added_to_the_share() {
        let (budget, start) = (RetryBudget::new(), Instant::now());
        drain(&budget, start);
        assert_eq!(drain(&budget, start + Duration::from_secs(2)), 20);
        for _ in 0..300 {
            budget.deposit();
        }
        assert_eq!(drain(&budget, start + Duration::from_secs(3)), 30);
    }

    #[test]
    fn savings_are_bounded() {
        let (budget, start) = (RetryBudget::new(), Instant::now());
        drain(&budget, start);
        assert_eq!(drain(&budget, start + Duration::from_secs(3600)), 100);
        assert_eq!(drain(&RetryBudget::new().burst(0.0), start), 0);
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing() {
        let (budget, now) = (RetryBudget::new(), Instant::now());
        drain(&budget, now + Duration::from_secs(3600));
        assert_eq!(drain(&budget, now), 0);
        assert_eq!(drain(&budget, now + Duration::from_secs(1)), 10);
    }

    #[test]
    fn settings_out_of_range() {
        let budget = RetryBudget::new().ratio(f64::NAN).floor(-1.0).burst(f64::NAN);
        assert_eq!((budget.ratio, budget.floor, budget.burst), (0.1, 0.0, 100.0));
    }

    #[test]
    fn threads_never_withdraw_more_than_was_deposited() {
        let budget = RetryBudget::new().floor(0.0).burst(1e9);
        let now = Instant::now();
        let granted = thread::scope(|scope| {
            let threads = [(); 8].map(|()| {
                scope.spawn(|| {
                    let grant = |_: &u32| {
                        budget.deposit();
                        budget.withdraw(|| now)
                    };
                    (0..10_000_u32).filter(grant).count()
                })
            });
            threads.map(|thread| thread.join().expect("no panic")).iter().sum::<usize>()
        });
        assert!((7_999..=8_000).contains(&granted), "{granted}");
    }
}
