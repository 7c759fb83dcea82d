use std::collections::HashSet;

use steadfast::idempotent::{Acquired, Claim, Claimed, Record, Resolution, StoreError, Written};

use crate::{
    error::Fault,
    request::{Answer, Operation, Request, Write, is_over},
    tables::Tables,
    watchers::Watchers,
};

/// The requests of one transaction.
pub(crate) struct Batch<'t> {
    tables: Tables<'t>,
    watchers: &'t mut Watchers,
    outcome: &'t mut Outcome,
    max_keys: u64,
    now: u64,
}

/// An answer that waits for the commit, and is an error if that fails.
type Waiting = Box<dyn FnOnce(Result<(), StoreError>)>;

/// What is left to do when a transaction has been committed, or has failed.
#[derive(Default)]
pub(crate) struct Outcome {
    answers: Vec<Waiting>,
    /// The keys that are not as they were.
    touched: HashSet<Vec<u8>>,
    /// Those of them that somebody may have waited for.
    over: Vec<Vec<u8>>,
}

impl Outcome {
    /// How many wait for it.
    pub(crate) fn waiting(&self) -> usize {
        self.answers.len()
    }

    /// Tells all who are concerned: in this order, so that an owner who hears of its write knows that the
    /// others do.
    pub(crate) fn tell(self, committed: &Result<(), StoreError>, watchers: &mut Watchers) {
        // Also of what may have happened.
        for key in self.over {
            watchers.wake(&key);
        }
        for answer in self.answers {
            answer(committed.clone());
        }
    }
}

impl<'t> Batch<'t> {
    pub(crate) fn new(
        tables: Tables<'t>,
        watchers: &'t mut Watchers,
        outcome: &'t mut Outcome,
        max_keys: u64,
    ) -> Self {
        let now = tables.clock;
        Self { tables, watchers, outcome, max_keys, now }
    }

    /// Does what is asked. An error is one of the whole transaction.
    pub(crate) fn apply(&mut self, request: Request) -> Result<(), redb::Error> {
        self.now = self.now.max(request.now);
        self.tables.clock = self.now;
        match request.operation {
            Operation::Claim { key, claim, answer } => {
                let claimed = self.claim(&key, &claim);
                self.answer(Some(&key), answer, claimed)
            }
            Operation::Write { key, write, answer } => {
                let written = self.write(&key, write);
                self.answer(Some(&key), answer, written)
            }
            Operation::Resolve { key, resolution, answer } => {
                let resolved = self.resolve(&key, &resolution);
                self.answer(Some(&key), answer, resolved)
            }
            Operation::Purge { most, answer } => {
                let purged = self.sweep(most).map(|gone| gone as u64);
                self.answer(None, answer, purged)
            }
        }
    }

    /// Whether there is anything to commit.
    pub(crate) fn finish(self) -> Result<bool, Fault> {
        let is_changed = self.tables.is_changed;
        if is_changed {
            self.tables.finish()?;
        }
        Ok(is_changed)
    }

    fn claim(&mut self, key: &[u8], claim: &Claim) -> Result<Claimed, Fault> {
        let Some(before) = self.tables.load(key)? else {
            return self.insert(key, claim).map(Claimed::Acquired);
        };
        let mut record = before.clone();
        let mut claimed = record.claim(claim, self.now, self.tables.tokens + 1);
        if let Claimed::InProgress { changed, .. } = &mut claimed {
            *changed = Some(self.watchers.watch(key));
        }
        self.save(key, Some(&before), &record)?;
        Ok(claimed)
    }

    fn insert(&mut self, key: &[u8], claim: &Claim) -> Result<Acquired, Fault> {
        self.sweep(A_FEW)?;
        if self.tables.keys()? >= self.max_keys && self.sweep(MANY)? == 0 {
            return Err(Fault::Own(StoreError::Full));
        }
        let (record, acquired) = Record::new(claim, self.now, self.tables.tokens + 1);
        self.save(key, None, &record)?;
        Ok(acquired)
    }

    fn write(&mut self, key: &[u8], write: Write) -> Result<Written, Fault> {
        let Some(before) = self.tables.load(key)? else { return Ok(Written::LeaseLost) };
        let mut record = before.clone();
        let written = write.apply(&mut record, self.now);
        self.save(key, Some(&before), &record)?;
        Ok(written)
    }

    fn resolve(&mut self, key: &[u8], resolution: &Resolution) -> Result<bool, Fault> {
        let Some(before) = self.tables.load(key)? else { return Ok(false) };
        let mut record = before.clone();
        let resolved = record.resolve(resolution, self.now, self.tables.tokens + 1);
        self.save(key, Some(&before), &record)?;
        Ok(resolved)
    }

    fn save(&mut self, key: &[u8], before: Option<&Record>, record: &Record) -> Result<(), Fault> {
        if before == Some(record) {
            return Ok(());
        }
        self.outcome.touched.insert(key.to_vec());
        if is_over(record) {
            self.outcome.over.push(key.to_vec());
        }
        self.tables.save(key, before, record)
    }

    fn sweep(&mut self, most: usize) -> Result<usize, Fault> {
        let gone = self.tables.sweep(self.now, most)?;
        let count = gone.len();
        self.outcome.touched.extend(gone);
        Ok(count)
    }

    /// Answers at once where only what has been committed before is in the answer: without waiting
    /// for the disk. The rest waits for the commit.
    fn answer<T: 'static>(
        &mut self,
        key: Option<&[u8]>,
        answer: Answer<T>,
        value: Result<T, Fault>,
    ) -> Result<(), redb::Error> {
        let value = match value {
            Ok(value) => Ok(value),
            Err(Fault::Own(error)) => Err(error),
            Err(Fault::Storage(error)) => {
                self.outcome.answers.push(Box::new(|committed| {
                    drop(answer.send(committed.and(Err(StoreError::unavailable(NOT_DONE)))));
                }));
                return Err(error);
            }
        };
        let is_pending = match (&value, key) {
            (Err(StoreError::Full), _) | (_, None) => self.tables.is_changed,
            (_, Some(key)) => self.outcome.touched.contains(key),
        };
        if is_pending {
            self.outcome.answers.push(Box::new(|committed| {
                drop(answer.send(committed.and(value)));
            }));
        } else {
            drop(answer.send(value));
        }
        Ok(())
    }
}

/// As many expired keys as a new one takes along: two for one, so that they cannot pile up.
const A_FEW: usize = 2;
/// As many as a new one takes along when the store is full.
const MANY: usize = 256;

const NOT_DONE: &str = "the transaction was given up";
