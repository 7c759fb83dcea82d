//! Durations as people write them: `"250ms"`, `"1.5s"`, `"1m30s"`.

use std::time::Duration;

/// Reads a duration, or says what is wrong with it.
///
/// Input:  `1m30s`
/// Output: 90 seconds
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("a duration is missing: write one such as `250ms` or `2s`".into());
    }
    if rest.starts_with('-') {
        return Err("a duration cannot be negative: leave out the `-`".into());
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        if number.is_empty() {
            return Err(format!("`{rest}` is not a duration: write one such as `250ms` or `2s`"));
        }
        if unit.is_empty() && !after.is_empty() {
            let text = text.trim();
            return Err(format!("`{text}` is not a duration: write one such as `250ms` or `2s`"));
        }
        if unit.is_empty() {
            return Err(format!("a duration needs a unit: `{number}ms` or `{number}s`"));
        }
        let part = part(&number.replace('_', ""), unit)?;
        total = total.checked_add(part).ok_or_else(too_long)?;
        rest = after.trim_start();
    }
    Ok(total)
}

fn part(number: &str, unit: &str) -> Result<Duration, String> {
    let Some((_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!(
            "`{unit}` is not a unit of time: use one of `ns`, `us`, `ms`, `s`, `m`, `h`, `d`"
        ));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let malformed = || format!("`{number}` is not a number: write one such as `1.5s`");
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(malformed());
    }
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let mut total = u128::from(whole) * u128::from(*nanos);
    if !fraction.is_empty() {
        // What is finer than a nanosecond is dropped.
        let digits: u128 =
            fraction.get(..18).unwrap_or(fraction).parse().map_err(|_| malformed())?;
        let scale = 10_u128.pow(u32::try_from(fraction.len().min(18)).unwrap_or(18));
        total += digits * u128::from(*nanos) / scale;
    }
    let seconds = u64::try_from(total / 1_000_000_000).map_err(|_| too_long())?;
    let nanos = u32::try_from(total % 1_000_000_000).map_err(|_| too_long())?;
    Ok(Duration::new(seconds, nanos))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn too_long() -> String {
    "the duration is too long: a hundred years are `36500d`".into()
}

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good() {
        for (text, duration) in [
            ("250ms", Duration::from_millis(250)),
            ("2s", Duration::from_secs(2)),
            ("1.5s", Duration::from_millis(1500)),
            ("1m30s", Duration::from_secs(90)),
            ("1h 30m", Duration::from_secs(5400)),
            ("10_000us", Duration::from_millis(10)),
            ("3 µs", Duration::from_micros(3)),
            ("7ns", Duration::from_nanos(7)),
            ("0s", Duration::ZERO),
            ("2d", Duration::from_secs(172_800)),
            ("0.0000000019s", Duration::from_nanos(1)),
        ] {
            assert_eq!(parse(text), Ok(duration), "{text}");
        }
    }

    #[test]
    fn bad() {
        for (text, says) in [
            ("", "missing"),
            ("10", "needs a unit: `10ms` or `10s`"),
            ("5parsecs", "`parsecs` is not a unit of time"),
            ("fast", "`fast` is not a duration"),
            ("-1s", "cannot be negative"),
            ("1.2.3s", "`1.2.3` is not a number"),
            ("1.s", "`1.` is not a number"),
            (".5s", "`.5` is not a number"),
            ("99999999999999999999s", "too long"),
            ("9999999999999999999d", "too long"),
            ("1s!", "`!` is not a duration"),
        ] {
            let message = parse(text).expect_err(text);
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
