//! What one can ask of a breaker, and make it do.

use std::{fmt::Debug, hash::Hash, sync::Arc};

use super::{
    breaker::CircuitBreaker,
    snapshot::{Snapshot, State},
    transitions::Transitions,
};

impl CircuitBreaker {
    /// The breaker of a key, such as a host, which it makes if there is none: what `per` goes
    /// through. It has the same settings.
    ///
    /// While the handle lives the breaker stays that key's. What is done to the handle on the whole
    /// family holds for each key, until it is [`reset`](Self::reset).
    ///
    /// # Example: take one host out of service
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// static HOSTS: CircuitBreaker = CircuitBreaker::new("hosts");
    /// HOSTS.per("eu-1.example.com").force_open();
    /// assert_eq!(HOSTS.per("eu-1.example.com").state(), State::ForcedOpen);
    /// assert_eq!(HOSTS.per("eu-2.example.com").state(), State::Closed);
    /// ```
    pub fn per<K: Hash + Debug + ?Sized>(&self, key: &K) -> Self {
        // A key's own handle knows the others too.
        let root = self.core().root().unwrap_or_else(|| Arc::clone(self.core()));
        let keys = root.keys();
        let found = keys.find(keys.hash(key), key).map(Arc::clone);
        Self::of_core(found.unwrap_or(root))
    }

    /// What it does with a call.
    ///
    /// An open breaker stays so until a call comes to probe, also when its time is over.
    ///
    /// # Example: a new one
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// assert_eq!(CircuitBreaker::new("new").state(), State::Closed);
    /// ```
    pub fn state(&self) -> State {
        self.core().machine.state()
    }

    /// What it has counted so far.
    ///
    /// # Example: how many calls it has spared a dead dependency
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// assert_eq!(STRIPE.snapshot().counted.refused, 0);
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        self.core().snapshot()
    }

    /// Refuses every call, also those of all keys, until another of these methods is called.
    ///
    /// # Example: a dependency goes into maintenance
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// STRIPE.force_open();
    /// assert_eq!(STRIPE.state(), State::ForcedOpen);
    /// ```
    pub fn force_open(&self) {
        self.force(State::ForcedOpen);
    }

    /// Runs every call and counts it, and opens at nothing, until another of these methods is called.
    ///
    /// # Example: it was wrong, and the calls must go on
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// STRIPE.force_closed();
    /// assert_eq!(STRIPE.state(), State::ForcedClosed);
    /// ```
    pub fn force_closed(&self) {
        self.force(State::ForcedClosed);
    }

    /// Runs every call and counts none, until another of these methods is called.
    ///
    /// # Example: as if it were not there
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// STRIPE.disable();
    /// assert_eq!(STRIPE.state(), State::Disabled);
    /// ```
    pub fn disable(&self) {
        self.force(State::Disabled);
    }

    /// Closes it with an empty window, whatever it was; what counts from the start goes on counting.
    ///
    /// # Example: back to normal
    ///
    /// ```
    /// use steadfast::circuit_breaker::{CircuitBreaker, State};
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// STRIPE.force_open();
    /// STRIPE.reset();
    /// assert_eq!(STRIPE.state(), State::Closed);
    /// ```
    pub fn reset(&self) {
        self.force(State::Closed);
    }

    /// Tells its transitions from now on.
    ///
    /// # Example: see [`Transitions`]
    ///
    /// ```
    /// use steadfast::circuit_breaker::CircuitBreaker;
    ///
    /// static STRIPE: CircuitBreaker = CircuitBreaker::new("stripe");
    /// let transitions = STRIPE.subscribe();
    /// ```
    pub fn subscribe(&self) -> Transitions {
        Transitions(self.core().subscribe())
    }

    fn force(&self, state: State) {
        let core = self.core();
        core.machine.force(state, &**core);
    }
}
