//! Who is compared with whom.

use crate::{
    contention::{self, Crowd},
    harness::{Contender, Cost, measure},
    ours, peers,
};

/// Contenders that do the same thing.
pub struct Group {
    pub title: &'static str,
    /// The bare call, then ours, then the peers'.
    pub costs: Vec<Cost>,
    ours: usize,
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
        Self { title, costs: measure(contenders, rounds), ours: count }
    }

    pub fn bare(&self) -> &Cost {
        &self.costs[0]
    }

    pub fn ours(&self) -> &Cost {
        &self.costs[1]
    }

    pub fn peers(&self) -> &[Cost] {
        &self.costs[1 + self.ours..]
    }

    pub fn named(&self, name: &str) -> &Cost {
        let found = self.costs.iter().find(|cost| cost.name == name);
        found.expect("a measure names contenders of its group")
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

pub fn two_threads(rounds: usize) -> Vec<Crowd> {
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
    contention::measure(contenders, rounds)
}
