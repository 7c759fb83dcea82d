//! tokio's clock, in words of 64 bits, and cheap enough for a call that succeeds.

use std::{cell::Cell, sync::LazyLock, time::Duration};

use tokio::time::Instant;

/// Where the times begin to be counted: a paused clock may stand before it.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| Instant::from_std(std::time::Instant::now()));

/// The origin, as a number of nanoseconds: in the middle of those below 2^63.
const MIDDLE: u64 = 1 << 62;

/// A time as nanoseconds below 2^63; `None` if it is more than 146 years from the origin.
#[inline]
pub(crate) fn nanos(time: Instant) -> Option<u64> {
    // In whole seconds and the rest, which is cheaper than to divide 128 bits.
    let nanos = |span: Duration| {
        span.as_secs().checked_mul(1_000_000_000)?.checked_add(span.subsec_nanos().into())
    };
    let origin = *ORIGIN;
    let nanos = match time.checked_duration_since(origin) {
        Some(later) => MIDDLE.checked_add(nanos(later)?),
        None => MIDDLE.checked_sub(nanos(origin.saturating_duration_since(time))?),
    };
    nanos.filter(|nanos| *nanos < 2 * MIDDLE)
}

/// The time that so many nanoseconds stand for; `None` if the clock does not go there.
pub(crate) fn instant(nanos: u64) -> Option<Instant> {
    match nanos.checked_sub(MIDDLE) {
        Some(later) => ORIGIN.checked_add(Duration::from_nanos(later)),
        None => ORIGIN.checked_sub(Duration::from_nanos(MIDDLE - nanos)),
    }
}

/// The time, read anew at most once in each tick of the system's coarse clock, which is 1 to 16
/// milliseconds long.
///
/// Reading tokio's clock takes 23 ns, asking whether the coarse one has moved 3 ns. A clock that is
/// or was paused is not the system's, moves between its ticks, and so is read each time; that it is,
/// is seen when the tick in which it was paused is over, and at once with the feature `testing`.
#[inline]
pub(crate) fn coarse_now() -> u64 {
    if cfg!(feature = "testing") { now() } else { once_a_tick() }
}

#[inline]
fn once_a_tick() -> u64 {
    let tick = tick();
    let (seen, nanos) = LAST.get();
    if tick == seen && tick != NO_TICK { nanos } else { read_anew(tick) }
}

/// The time, to the nanosecond.
pub(crate) fn now() -> u64 {
    saturating_nanos(Instant::now())
}

thread_local! {
    /// The tick in which this thread has read the clock, and what it read.
    static LAST: Cell<(u64, u64)> = const { Cell::new((NO_TICK, 0)) };
}

/// What the coarse clock has not shown.
const NO_TICK: u64 = u64::MAX;

#[cold]
#[inline(never)]
fn read_anew(tick: u64) -> u64 {
    let before = std::time::Instant::now();
    let now = Instant::now();
    let after = std::time::Instant::now();
    let nanos = saturating_nanos(now);
    // A paused clock stands still or has been moved on: it does not fit between two readings of the
    // system's, but by a chance of one in thousands.
    let is_systems = (before..=after).contains(&now.into_std());
    LAST.set((if is_systems { tick } else { NO_TICK }, nanos));
    nanos
}

fn saturating_nanos(time: Instant) -> u64 {
    nanos(time).unwrap_or(if time < *ORIGIN { 0 } else { 2 * MIDDLE - 1 })
}

/// Whatever the coarse clock shows: only whether it changes matters.
#[cfg(any(unix, windows))]
#[inline]
fn tick() -> u64 {
    coarsetime::Instant::now_without_cache_update().as_ticks()
}

#[cfg(not(any(unix, windows)))]
fn tick() -> u64 {
    NO_TICK
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn keeps_times_to_the_nanosecond() {
        let offset = Duration::new(1_000_000, 1);
        for time in [*ORIGIN, *ORIGIN + offset, *ORIGIN - Duration::from_nanos(7)] {
            assert_eq!(nanos(time).and_then(instant), Some(time));
        }
    }

    #[test]
    fn keeps_up_with_the_systems_clock() {
        let start = once_a_tick();
        // Hangs if the clock never moves.
        while once_a_tick() == start {
            assert!(once_a_tick() + 100_000_000 > now(), "ticks behind");
        }
        assert!(start < once_a_tick() && once_a_tick() <= now());
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_is_read_each_time() {
        for micros in [1, 10, 100, 300, 1_000, 3_000].repeat(20) {
            let before = once_a_tick();
            advance(Duration::from_micros(micros)).await;
            assert_eq!(once_a_tick(), before + 1_000 * micros);
        }
        tokio::time::resume();
        let before = once_a_tick();
        assert!((0..1_000_000).any(|_| once_a_tick() > before), "it lags behind the system's");
    }
}
