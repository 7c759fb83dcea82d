//! "Did you mean": the name that is like what was written.

/// The nearest name, if at most a third of its letters are away; else one that is written short, as
/// `exp` for `exponential`, or long.
pub(crate) fn nearest<'n>(
    written: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<&'n str> {
    let begins = |long: &str, short: &str| short.len() >= 3 && long.starts_with(short);
    let near = names.clone().map(|name| (distance(written, name), name)).min()?;
    let longer = near.1.len().max(written.len());
    if near.0 * 3 <= longer.max(3) {
        return Some(near.1);
    }
    let mut names = names;
    names.find(|name| begins(written, name) || begins(name, written))
}

/// How many letters were left out, put in, mistaken or swapped (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let mistaken = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let least = mistaken.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { least.min(rows[i - 2][j - 2] + 1) } else { least }
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_far() {
        let names = || ["max", "base", "jitter", "when_ok"].into_iter();
        for (written, near) in [
            ("mx", Some("max")),
            ("bsae", Some("base")),
            ("jiter", Some("jitter")),
            ("when_Ok", Some("when_ok")),
            ("timeout", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, names()), near, "{written}");
        }
    }
}
