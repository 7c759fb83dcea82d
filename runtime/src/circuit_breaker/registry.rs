use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{breaker::CircuitBreaker, core::Core};

static BREAKERS: Mutex<Vec<Weak<Core>>> = Mutex::new(Vec::new());

/// Lists every breaker of this process that has been used: called through, or looked at.
///
/// Of a breaker with keys it lists one for each key. What it gives are handles, so that an operator's
/// page can show them all and force one open or closed.
///
/// # Example: an operator opens one by its name
///
/// ```
/// use std::io;
/// use steadfast::{circuit_breaker, circuit_breaker::State};
///
/// #[circuit_breaker]
/// async fn price(movie: &str) -> io::Result<u64> {
/// #   assert_ne!(movie, "");
///     Ok(3)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// price("Alien").await.unwrap();
/// let breakers = steadfast::circuit_breakers();
/// let breaker = breakers.iter().find(|breaker| breaker.name().ends_with("::price")).unwrap();
/// breaker.force_open();
/// assert_eq!(breaker.state(), State::ForcedOpen);
/// assert!(price("Alien").await.is_err());
/// # }
/// ```
pub fn circuit_breakers() -> Vec<CircuitBreaker> {
    let mut all = BREAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|breaker| breaker.strong_count() > 0);
    let roots: Vec<Arc<Core>> = all.iter().filter_map(Weak::upgrade).collect();
    drop(all);
    let mut listed = Vec::new();
    for root in roots {
        let keys = root.known_keys().map(super::keys::Keys::all);
        // Where calls go by their keys, none goes through the breaker that the settings stand on.
        if keys.is_none() || root.machine.activity() > 0 {
            listed.push(CircuitBreaker::of_core(root));
        }
        listed.extend(keys.into_iter().flatten().map(CircuitBreaker::of_core));
    }
    listed
}

pub(super) fn register(core: &Arc<Core>) {
    let mut all = BREAKERS.lock().unwrap_or_else(PoisonError::into_inner);
    // Those of clients that come and go must not pile up: one gone, one at the most looked at.
    if all.len() == all.capacity() {
        all.retain(|breaker| breaker.strong_count() > 0);
    }
    all.push(Arc::downgrade(core));
}
