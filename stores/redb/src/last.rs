use std::{
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

use crate::request::Request;

/// What the last transaction says about the next.
///
/// Those who have just been told are about to ask again: who has claimed completes. If they find that a
/// transaction has begun without them, they wait for two, and so do the others in turn: half of all in
/// each. So a transaction waits for them, for an eighth of the time that the last one took.
#[derive(Debug)]
pub(crate) struct Last {
    begun: Instant,
    until: Instant,
    /// How many have been told.
    told: usize,
    /// How many are in this one.
    count: usize,
    /// How many are thought to come.
    most: Option<usize>,
}

impl Last {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, until: now, told: 0, count: 0, most: None }
    }

    /// The first of a transaction. `None` if there is nobody left who could ask.
    pub(crate) fn first(&mut self, requests: &Receiver<Request>) -> Option<Request> {
        let (first, most) = match requests.try_recv() {
            Ok(first) => (first, None),
            // All who have asked have been told.
            Err(_) => (requests.recv().ok()?, Some(self.told)),
        };
        (self.begun, self.count, self.most) = (Instant::now(), 1, most);
        Some(first)
    }

    /// The next of a transaction.
    pub(crate) fn next(&mut self, requests: &Receiver<Request>) -> Option<Request> {
        let next = requests.try_recv().ok().or_else(|| {
            let most = *self.most.get_or_insert(self.count + self.told);
            let left = self.until.checked_duration_since(Instant::now());
            left.filter(|_| self.count < most).and_then(|left| requests.recv_timeout(left).ok())
        });
        self.count += usize::from(next.is_some());
        next
    }

    /// A transaction has ended, and so many are told.
    pub(crate) fn end(&mut self, told: usize) {
        let now = Instant::now();
        self.until = now + ((now - self.begun) / 8).min(LONGEST);
        self.told = told;
    }
}

const LONGEST: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use steadfast::idempotent::Claim;
    use tokio::sync::oneshot;

    use super::*;
    use crate::request::Operation;

    fn send(requests: &Sender<Request>) {
        let operation = Operation::Purge { most: 0, answer: oneshot::channel().0 };
        requests.send(Request { now: 0, operation }).unwrap();
    }

    /// One whose last transaction took long, and told so many.
    fn last(told: usize) -> Last {
        let mut last = Last::new();
        last.begun -= Claim::new(1).lease;
        last.end(told);
        // It would wait for ever.
        last.until += Claim::new(1).ttl;
        last
    }

    #[test]
    fn waits_for_no_more_than_were_told() {
        let (requests, received) = channel();
        let mut last = last(2);
        send(&requests);
        last.most = Some(2);
        last.count = 1;
        assert!(last.next(&received).is_some());
        assert!(last.next(&received).is_none());
    }

    #[test]
    fn waits_for_those_who_were_told_beside_those_who_were_not() {
        let (requests, received) = channel();
        let mut last = last(2);
        (0..3).for_each(|_| send(&requests));
        assert!(last.first(&received).is_some());
        assert!(last.next(&received).is_some() && last.next(&received).is_some());
        let later = std::thread::spawn(move || (0..2).for_each(|_| send(&requests)));
        assert!(last.next(&received).is_some() && last.next(&received).is_some());
        assert!(last.next(&received).is_none());
        later.join().unwrap();
    }

    #[test]
    fn does_not_wait_when_the_time_is_over() {
        let (requests, received) = channel();
        let mut last = last(2);
        last.until = last.begun;
        send(&requests);
        assert!(last.first(&received).is_some());
        assert!(last.next(&received).is_none());
    }
}
