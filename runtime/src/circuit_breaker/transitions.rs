use std::{sync::Arc, time::Duration};

use tokio::sync::broadcast::{self, error::RecvError};

use super::snapshot::{Cause, State};

/// The transitions of a breaker from when it was [subscribed](super::CircuitBreaker::subscribe) to.
///
/// # Example: act on an outage
///
/// ```
/// use steadfast::circuit_breaker::{CircuitBreaker, State};
///
/// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut transitions = STRIPE.subscribe();
/// STRIPE.force_open();
/// let transition = transitions.next().await.expect("the breaker lives on");
/// assert_eq!((transition.from, transition.to), (State::Closed, State::ForcedOpen));
/// # }
/// ```
#[derive(Debug)]
pub struct Transitions(pub(super) broadcast::Receiver<Transition>);

impl Transitions {
    /// Waits for the next one; `None` when the breaker is no more.
    ///
    /// The last 64 are kept for whoever is slow; what is older is left out.
    ///
    /// # Cancellation
    ///
    /// Dropping the future loses nothing: the transition comes next time.
    ///
    /// # Example: the end
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let breaker = CircuitBreaker::new("short-lived");
    /// let mut transitions = breaker.subscribe();
    /// drop(breaker);
    /// assert_eq!(transitions.next().await, None);
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Transition> {
        loop {
            match self.0.recv().await {
                Ok(transition) => return Some(transition),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// A breaker went from one state to another.
///
/// # Example: tell the operators
///
/// ```
/// use steadfast::circuit_breaker::{State, Transition};
///
/// fn note(transition: &Transition) {
///     if transition.to == State::Open {
///         eprintln!("{} opened: {}", transition.breaker, transition.cause);
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transition {
    /// The breaker's name.
    pub breaker: &'static str,
    /// Whose it is among those of `per`.
    pub key: Option<Arc<str>>,
    /// The state before.
    pub from: State,
    /// The state from now on.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// For how long, if it has opened.
    pub open_for: Option<Duration>,
}
