//! Who is compared with whom.

use crate::{
    contention::{self, Crowd},
    harness::{self, Contender, Cost, Filled},
    ours, peers,
};

/// Contenders that do the same thing.
pub struct Group<C = Cost> {
    pub title: &'static str,
    /// The bare call, then ours, then the peers'.
    pub costs: Vec<C>,
    ours: usize,
    compared: fn(&C) -> f64,
}

/// What a group compares.
pub trait Named {
    fn name(&self) -> &'static str;
}

impl Named for Cost {
    fn name(&self) -> &'static str {
        self.name
    }
}

impl Named for Crowd {
    fn name(&self) -> &'static str {
        self.name
    }
}

impl<C: Named> Group<C> {
    pub fn bare(&self) -> &C {
        &self.costs[0]
    }

    pub fn ours(&self) -> &C {
        &self.costs[1]
    }

    pub fn peers(&self) -> &[C] {
        &self.costs[1 + self.ours..]
    }

    pub fn fastest_peer(&self) -> &C {
        let compared = |peer: &&C| (self.compared)(peer);
        let fastest = self.peers().iter().min_by(|a, b| compared(a).total_cmp(&compared(b)));
        fastest.expect("a group has peers")
    }

    pub fn named(&self, name: &str) -> &C {
        let found = self.costs.iter().find(|cost| cost.name() == name);
        found.expect("a measure names contenders of its group")
    }

    /// Our time as a part of this peer's.
    pub fn ratio(&self, peer: &C) -> f64 {
        (self.compared)(self.ours()) / (self.compared)(peer)
    }
}

impl Group {
    fn measured(
        title: &'static str,
        rounds: usize,
        bare: Contender,
        ours: Vec<Contender>,
        peers: Vec<Contender>,
    ) -> Self {
        let count = ours.len();
        let contenders = [bare].into_iter().chain(ours).chain(peers).collect();
        let costs = harness::measure(contenders, rounds);
        Self { title, costs, ours: count, compared: |cost| cost.added }
    }
}

impl Group<Crowd> {
    /// `make` builds the bare call, then so many of `ours`, then the peers', once per thread.
    fn crowded(
        title: &'static str,
        rounds: usize,
        ours: usize,
        make: impl Fn() -> Vec<Contender> + Sync,
    ) -> Self {
        let costs = contention::measure(make, rounds);
        Self { title, costs, ours, compared: |crowd| crowd.added }
    }
}

pub fn retry(rounds: usize) -> Group {
    let ours = vec![ours::retry(), ours::retry_no_budget()];
    let peers = vec![
        peers::backon::retry(),
        peers::tokio_retry2::retry(),
        peers::tower::retry(),
        peers::tower::retry_budget(peers::tower::budget()),
        peers::tower_resilience::retry(),
        peers::tower_resilience::retry_budget(peers::tower_resilience::budget()),
        peers::seatbelt::retry(),
    ];
    Group::measured("Retry, the first attempt succeeds", rounds, ours::bare(), ours, peers)
}

pub fn deadline(rounds: usize) -> Group {
    let ours = vec![ours::deadline()];
    let peers = vec![
        peers::tokio::deadline(),
        peers::tower_resilience::deadline(),
        peers::seatbelt::deadline(),
    ];
    Group::measured("Deadline, the call is ready at once", rounds, ours::bare(), ours, peers)
}

pub fn deadline_pending(rounds: usize) -> Group {
    let ours = vec![ours::deadline_pending()];
    let peers = vec![
        peers::tokio::deadline_pending(),
        peers::tower_resilience::deadline_pending(),
        peers::seatbelt::deadline_pending(),
    ];
    Group::measured("Deadline, the call is pending once", rounds, ours::bare_pending(), ours, peers)
}

pub fn both(rounds: usize) -> Group {
    let ours = vec![ours::both(), ours::retry(), ours::deadline()];
    let peers =
        vec![peers::tokio::both(), peers::tower_resilience::both(), peers::seatbelt::both()];
    Group::measured(
        "Deadline and retry, the first attempt succeeds",
        rounds,
        ours::bare(),
        ours,
        peers,
    )
}

pub fn six_attempts(rounds: usize) -> Group {
    let ours = vec![ours::six_attempts()];
    let peers = vec![
        peers::backon::six_attempts(),
        peers::backon::six_attempts_no_sleep(),
        peers::tokio_retry2::six_attempts(),
        peers::tower::six_attempts(),
        peers::tower_resilience::six_attempts(),
        peers::seatbelt::six_attempts(),
    ];
    Group::measured(
        "Six attempts, no pause between them",
        rounds,
        ours::bare_failing(),
        ours,
        peers,
    )
}

pub fn breaker(rounds: usize) -> Group {
    let ours = vec![ours::breaker(), ours::breaker_keyed()];
    let peers = vec![
        peers::failsafe::breaker(),
        peers::recloser::breaker(),
        peers::nobreak::breaker(),
        peers::circuitbreaker_rs::breaker(),
        peers::tower_resilience::breaker(),
        peers::seatbelt::breaker(),
    ];
    Group::measured("Circuit breaker, closed", rounds, ours::bare(), ours, peers)
}

/// Compared in all, not by what is added: a call that is refused is not made.
pub fn breaker_open(rounds: usize) -> Group {
    let ours = vec![ours::breaker_open()];
    let peers = vec![
        peers::failsafe::breaker_open(),
        peers::recloser::breaker_open(),
        peers::nobreak::breaker_open(),
        peers::circuitbreaker_rs::breaker_open(),
        peers::tower_resilience::breaker_open(),
        peers::seatbelt::breaker_open(),
    ];
    let title = "Circuit breaker, open: refused";
    Group {
        compared: |cost| cost.nanos,
        ..Group::measured(title, rounds, ours::bare(), ours, peers)
    }
}

pub fn all_three(rounds: usize) -> Group {
    let ours = vec![ours::all_three()];
    let peers = vec![
        peers::tokio::all_three(),
        peers::tower_resilience::all_three(),
        peers::seatbelt::all_three(),
    ];
    Group::measured("Deadline, retry and circuit breaker", rounds, ours::bare(), ours, peers)
}

/// Compared in all, not by what is added: what is replayed is not called.
pub fn replay(rounds: usize) -> Group {
    let ours = vec![ours::idempotent::replay(ours::idempotent::store())];
    let peers = vec![
        peers::moka::replay(peers::moka::cache()),
        peers::moka::replay_typed(peers::moka::cache()),
    ];
    let title = "Idempotent, replayed, key of 8 bytes";
    let bare = ours::idempotent::bare();
    Group { compared: |cost| cost.nanos, ..Group::measured(title, rounds, bare, ours, peers) }
}

pub fn replay_text(rounds: usize) -> Group {
    let ours = vec![ours::idempotent::replay_text()];
    let peers = vec![peers::moka::replay_text(), peers::moka::replay_text_typed()];
    let title = "Idempotent, replayed, key of 36 characters";
    let bare = ours::idempotent::bare();
    Group { compared: |cost| cost.nanos, ..Group::measured(title, rounds, bare, ours, peers) }
}

pub fn fresh(rounds: usize) -> Group {
    let ours = vec![ours::idempotent::fresh(&Filled::new(ours::idempotent::store))];
    let peers = vec![
        peers::moka::fresh(&Filled::new(peers::moka::cache)),
        peers::moka::fresh_typed(&Filled::new(peers::moka::cache)),
    ];
    let bare = ours::idempotent::bare();
    Group::measured("Idempotent, a new key", rounds, bare, ours, peers)
}

pub fn replay_two_threads(rounds: usize) -> Group<Crowd> {
    let store = ours::idempotent::store();
    let (formatted, typed) = (peers::moka::cache(), peers::moka::cache());
    let contenders = || {
        vec![
            ours::idempotent::bare(),
            ours::idempotent::replay(store.clone()),
            peers::moka::replay(formatted.clone()),
            peers::moka::replay_typed(typed.clone()),
        ]
    };
    Group::crowded("Idempotent, replayed, each thread its own keys", rounds, 1, contenders)
}

pub fn fresh_two_threads(rounds: usize) -> Group<Crowd> {
    let store = Filled::new(ours::idempotent::store);
    let (formatted, typed) = (Filled::new(peers::moka::cache), Filled::new(peers::moka::cache));
    let contenders = || {
        vec![
            ours::idempotent::bare(),
            ours::idempotent::fresh(&store),
            peers::moka::fresh(&formatted),
            peers::moka::fresh_typed(&typed),
        ]
    };
    Group::crowded("Idempotent, new keys, each thread its own", rounds, 1, contenders)
}

pub fn retry_two_threads(rounds: usize) -> Group<Crowd> {
    let tower = peers::tower::budget();
    let tower_resilience = peers::tower_resilience::budget();
    let contenders = || {
        vec![
            ours::bare(),
            ours::retry(),
            ours::retry_no_budget(),
            peers::backon::retry(),
            peers::tower::retry_budget(tower.clone()),
            peers::tower_resilience::retry_budget(tower_resilience.clone()),
        ]
    };
    Group::crowded("Retry", rounds, 2, contenders)
}

pub fn breaker_two_threads(rounds: usize) -> Group<Crowd> {
    let failsafe = peers::failsafe::closed();
    let recloser = peers::recloser::closed();
    let nobreak = peers::nobreak::closed();
    let circuitbreaker_rs = peers::circuitbreaker_rs::closed();
    let tower_resilience = peers::tower_resilience::closed();
    let seatbelt = peers::seatbelt::shared();
    let contenders = || {
        vec![
            ours::bare(),
            ours::breaker_shared(),
            peers::failsafe::breaker_shared(failsafe.clone()),
            peers::recloser::breaker_shared(recloser.clone()),
            peers::nobreak::breaker_shared(nobreak.clone()),
            peers::circuitbreaker_rs::breaker_shared(circuitbreaker_rs.clone()),
            peers::tower_resilience::breaker_shared(&tower_resilience),
            peers::seatbelt::breaker_shared(seatbelt.clone()),
        ]
    };
    Group::crowded("Two threads on one breaker", rounds, 1, contenders)
}

pub fn all_three_two_threads(rounds: usize) -> Group<Crowd> {
    let tokio = peers::nobreak::closed();
    let tower_resilience = peers::tower_resilience::closed();
    let seatbelt = peers::seatbelt::shared();
    let contenders = || {
        vec![
            ours::bare(),
            ours::all_three_shared(),
            peers::tokio::all_three_shared(tokio.clone()),
            peers::tower_resilience::all_three_shared(&tower_resilience),
            peers::seatbelt::all_three_shared(seatbelt.clone()),
        ]
    };
    Group::crowded("Deadline, retry and one breaker", rounds, 1, contenders)
}
