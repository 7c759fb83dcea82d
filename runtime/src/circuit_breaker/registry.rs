use std::sync::{Arc, Mutex, Weak};

use super::{breaker::CircuitBreaker, core::Core};
use crate::locked::locked;

static BREAKERS: Mutex<Registry> = Mutex::new(Registry { all: Vec::new(), clean_at: 0 });

struct Registry {
    all: Vec<Weak<Core>>,
    /// How many there may be before those that are gone are taken off.
    clean_at: usize,
}

impl Registry {
    /// Those of clients that come and go must not pile up, nor be looked through each time.
    fn clean(&mut self) {
        self.all.retain(|breaker| breaker.strong_count() > 0);
        self.all.shrink_to(2 * self.all.len());
        self.clean_at = 2 * self.all.len() + 16;
    }
}

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
    let mut registry = locked(&BREAKERS);
    registry.clean();
    let roots: Vec<Arc<Core>> = registry.all.iter().filter_map(Weak::upgrade).collect();
    drop(registry);
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
    let mut registry = locked(&BREAKERS);
    if registry.all.len() >= registry.clean_at {
        registry.clean();
    }
    registry.all.push(Arc::downgrade(core));
}
