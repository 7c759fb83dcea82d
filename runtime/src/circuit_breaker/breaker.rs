use std::{
    fmt,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use super::{
    core::Core,
    registry,
    settings::{Settings, Window},
};

/// A circuit breaker, shared by all functions that name it, and the handle to look at and force it.
///
/// A `static`, or a field of a client that lives as long as its dependency; of a client that is cloned,
/// in an `Arc`. Without `with = …` a
/// function has one of its own, named after it. The setters have the names of the attribute's keys;
/// values that are only known at run time are brought into range as each setter says, and nothing
/// panics.
///
/// | setting | default | because |
/// |---|---|---|
/// | [`failure_rate`](Self::failure_rate) | 0.5 | half is far above what retries smooth over, and far below an outage |
/// | [`window`](Self::window) | 60 s | short enough to notice, long enough for quiet clients |
/// | [`min_calls`](Self::min_calls) | 20 | fewer say nothing: two of three may be chance |
/// | [`open_for`](Self::open_for) | 30 s | what a restart takes; a probe that is too early doubles it |
/// | [`max_open_for`](Self::max_open_for) | 5 m | the longest to notice that a dependency is back |
/// | [`probes`](Self::probes) | 1 | one call tells, and cannot hurt |
/// | [`consecutive`](Self::consecutive) | off | a rate also sees what fails every other time |
/// | [`slow_after`](Self::slow_after), [`slow_rate`](Self::slow_rate) | off, 0.5 | nobody but you knows what is slow |
/// | [`max_keys`](Self::max_keys) | 10 000 | a bound on what strangers can make it remember |
///
/// # Cost
///
/// A call that succeeds while closed takes no lock and pays some nanoseconds; a failure takes a lock
/// for some more; a refusal takes none. A breaker in use takes about 1.8 KB, as does each key. Named as a field of
/// what the body may change or consume (`with = self.breaker` under `&mut self`), a call counts a
/// reference besides.
///
/// # Example: two functions, one dependency
///
/// ```
/// use std::{io, time::Duration};
/// use steadfast::circuit_breaker::{self, CircuitBreaker};
///
/// static STRIPE: CircuitBreaker =
///     CircuitBreaker::new("stripe").failure_rate(0.3).open_for(Duration::from_secs(10));
///
/// #[steadfast::circuit_breaker(with = STRIPE)]
/// async fn charge(cents: u64) -> io::Result<u64> {
///     Ok(cents)
/// }
///
/// #[steadfast::circuit_breaker(with = STRIPE)]
/// async fn refund(cents: u64) -> io::Result<u64> {
///     Ok(cents)
/// }
/// ```
pub struct CircuitBreaker {
    name: &'static str,
    settings: Settings,
    core: OnceLock<Arc<Core>>,
}

impl CircuitBreaker {
    /// Makes a closed breaker with the defaults.
    ///
    /// The name is what events, refusals and [`circuit_breakers`](crate::circuit_breakers) call it. It is
    /// fit to be a label, and so not made at run time: what tells breakers of one name apart is a
    /// key, see [`per`](Self::per).
    ///
    /// # Example: a breaker for one dependency
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// assert_eq!(STRIPE.name(), "stripe");
    /// ```
    pub const fn new(name: &'static str) -> Self {
        Self { name, settings: Settings::new(), core: OnceLock::new() }
    }

    /// Opens it when this share of the calls in the window failed, or more. Default 0.5; above 1 it
    /// counts as 1, zero or less as "any failure", NaN as the default.
    ///
    /// # Example: at one in five
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").failure_rate(0.2);
    /// ```
    pub const fn failure_rate(mut self, rate: f64) -> Self {
        self.settings.failure_rate = Some(in_range(rate));
        self.settings.consecutive = None;
        self
    }

    /// Opens it after so many failures with no success between them, instead of by their share.
    /// Default off; 0 counts as 1.
    ///
    /// # Example: at the fifth in a row
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").consecutive(5);
    /// assert_eq!(STRIPE.settings().failure_rate, None);
    /// ```
    pub const fn consecutive(mut self, failures: u32) -> Self {
        self.settings.consecutive = Some(if failures == 0 { 1 } else { failures });
        self.settings.failure_rate = None;
        self
    }

    /// Sets what the rates are taken over: a time of 10 ms or more, or 1 to 10 000 calls. Default
    /// 60 s; out of range it counts as the nearest.
    ///
    /// # Example: over the last hundred calls
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, Window};
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").window(Window::Calls(100));
    /// ```
    pub const fn window(mut self, window: Window) -> Self {
        self.settings.window = match window {
            Window::Calls(0) => Window::Calls(1),
            Window::Calls(calls) if calls > MOST_CALLS => Window::Calls(MOST_CALLS),
            Window::Time(time) if time.as_nanos() < SHORTEST.as_nanos() => Window::Time(SHORTEST),
            window => window,
        };
        self
    }

    /// Sets the fewest calls in the window that a rate is taken of. Default 20; more than a window
    /// of calls holds counts as all of them.
    ///
    /// # Example: for a function that is seldom called
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").min_calls(5);
    /// ```
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.settings.min_calls = calls;
        self
    }

    /// Sets how long it stays open before the first probe. Default 30 s, spread by ±10 %; each
    /// failed probe doubles it, up to [`max_open_for`](Self::max_open_for).
    ///
    /// # Example: back in five seconds
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").open_for(Duration::from_secs(5));
    /// ```
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.settings.open_for = time;
        self
    }

    /// Sets how long it stays open at most, before it is spread by ±10 %. Default 5 minutes; less
    /// than [`open_for`](Self::open_for) counts as that.
    ///
    /// # Example: never longer
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker =
    ///     CircuitBreaker::new("stripe").max_open_for(Duration::from_secs(30));
    /// ```
    pub const fn max_open_for(mut self, time: Duration) -> Self {
        self.settings.max_open_for = time;
        self
    }

    /// Sets how many calls are let in to probe, which is also how many have to succeed. Default 1;
    /// 0 counts as 1.
    ///
    /// # Example: three have to succeed
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe").probes(3);
    /// ```
    pub const fn probes(mut self, calls: u8) -> Self {
        self.settings.probes = if calls == 0 { 1 } else { calls };
        self
    }

    /// Counts a call as slow from this long on, whatever its outcome. Default off.
    ///
    /// # Example: two seconds are too long
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker =
    ///     CircuitBreaker::new("stripe").slow_after(Duration::from_secs(2));
    /// ```
    pub const fn slow_after(mut self, time: Duration) -> Self {
        self.settings.slow_after = Some(time);
        self
    }

    /// Opens it when this share of the calls in the window was slow, or more. Default 0.5, where
    /// there is a [`slow_after`](Self::slow_after); out of range as
    /// [`failure_rate`](Self::failure_rate).
    ///
    /// # Example: when nine of ten are
    ///
    /// ```
    /// use std::time::Duration;
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker =
    ///     CircuitBreaker::new("stripe").slow_after(Duration::from_secs(2)).slow_rate(0.9);
    /// ```
    pub const fn slow_rate(mut self, rate: f64) -> Self {
        self.settings.slow_rate = in_range(rate);
        self
    }

    /// Sets the most keys that have a breaker of their own, where there is a `per`. Default 10 000;
    /// 0 counts as 1.
    ///
    /// When they are in use, a new key takes over the closed breaker of one that has gone quiet. If
    /// none is closed, it shares the one breaker of all who find none.
    ///
    /// # Example: a few hosts
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static HOSTS: CircuitBreaker = CircuitBreaker::new("hosts").max_keys(100);
    /// ```
    pub const fn max_keys(mut self, keys: u32) -> Self {
        self.settings.max_keys = if keys == 0 { 1 } else { keys };
        self
    }

    /// Its name.
    ///
    /// # Example: that of a function's own
    ///
    /// ```
    /// for breaker in steadfast::circuit_breakers() {
    ///     println!("{}", breaker.name()); // such as `shop::recommendations`
    /// }
    /// ```
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it goes by: once it has been used, what it was set to then.
    ///
    /// # Example: the default
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// assert_eq!(CircuitBreaker::new("new").settings().probes, 1);
    /// ```
    pub fn settings(&self) -> &Settings {
        self.core.get().map_or(&self.settings, |core| &core.settings)
    }

    /// A handle on a breaker that is at work.
    pub(super) fn of_core(core: Arc<Core>) -> Self {
        Self { name: core.name, settings: core.settings, core: OnceLock::from(core) }
    }

    #[inline]
    pub(super) fn core(&self) -> &Arc<Core> {
        match self.core.get() {
            Some(core) => core,
            None => self.set_to_work(),
        }
    }

    #[cold]
    fn set_to_work(&self) -> &Arc<Core> {
        self.core.get_or_init(|| {
            let core = Arc::new(Core::new(self.name, self.settings, Weak::new()));
            registry::register(&core);
            core
        })
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("CircuitBreaker");
        debug.field("name", &self.name).field("settings", &self.settings);
        if let Some(core) = self.core.get() {
            debug.field("key", &core.key()).field("state", &core.machine.state());
        }
        debug.finish_non_exhaustive()
    }
}

const MOST_CALLS: u32 = 10_000;
const SHORTEST: Duration = Duration::from_millis(10);

const fn in_range(rate: f64) -> f64 {
    if rate.is_nan() {
        0.5
    } else if rate > 1.0 {
        1.0
    } else if rate <= 0.0 {
        f64::MIN_POSITIVE
    } else {
        rate
    }
}
