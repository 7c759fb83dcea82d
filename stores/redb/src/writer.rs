//! The thread that writes: whatever is asked for while it waits for the disk is one transaction, with
//! one sync for all.

use std::{
    iter, mem,
    sync::{Arc, PoisonError, RwLock, mpsc::Receiver},
};

use redb::Database;
use steadfast::idempotent::StoreError;

use crate::{
    batch::{Batch, Outcome},
    error::{Fault, OpenError},
    last::Last,
    open::Opener,
    request::Request,
    tables::Tables,
    watchers::Watchers,
};

/// The database, while it is open: taken out where it has failed, and has to be opened anew.
pub(crate) type Shared = Arc<RwLock<Option<Database>>>;

pub(crate) struct Writer {
    opener: Opener,
    shared: Shared,
    watchers: Watchers,
    max_keys: u64,
    last: Last,
}

impl Writer {
    pub(crate) fn new(opener: Opener, shared: Shared, max_keys: u64) -> Self {
        Self { opener, shared, watchers: Watchers::default(), max_keys, last: Last::new() }
    }

    /// Opens the database, and says the latest time that the file has seen.
    pub(crate) fn open(&self) -> Result<u64, OpenError> {
        let (database, latest) = self.opener.open()?;
        *self.shared.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
        Ok(latest)
    }

    pub(crate) fn run(mut self, requests: &Receiver<Request>) {
        while let Some(first) = self.last.first(requests) {
            self.serve(first, requests);
        }
        self.opener.be_strict();
        drop(self.take_database());
    }

    /// Serves a request, with those that come until its transaction is committed.
    fn serve(&mut self, first: Request, others: &Receiver<Request>) {
        let mut first = Some(first);
        let mut last = mem::replace(&mut self.last, Last::new());
        let requests = iter::from_fn(|| first.take().or_else(|| last.next(others)));
        let mut requests = requests.take(MOST).filter(|request| !request.operation.is_moot());
        let mut outcome = Outcome::default();
        let served = self.reopen().and_then(|()| self.transact(&mut requests, &mut outcome));
        drop(requests);
        if let Err(error) = &served {
            // redb does nothing more after an error of the disk, until it is opened anew; and it is the
            // file that says what has become of the transaction.
            drop(self.take_database());
            if let Some(first) = first {
                first.operation.refuse(error.clone());
            }
        }
        last.end(outcome.waiting());
        self.last = last;
        outcome.tell(&served, &mut self.watchers);
        if served.is_err() {
            // For those who only look. If it fails, the next request tries again.
            let _ = self.reopen();
        }
    }

    /// Does what is asked, in one transaction.
    fn transact(
        &mut self,
        requests: &mut impl Iterator<Item = Request>,
        outcome: &mut Outcome,
    ) -> Result<(), StoreError> {
        let shared = self.shared.read().unwrap_or_else(PoisonError::into_inner);
        let database = shared.as_ref().ok_or_else(closed)?;
        let max_keys = self.max_keys;
        let (quick, watchers) = (self.opener.is_quick(), &mut self.watchers);
        let transact = || {
            let mut transaction = database.begin_write()?;
            transaction.set_quick_repair(quick);
            let mut batch = Batch::new(Tables::open(&transaction)?, watchers, outcome, max_keys);
            for request in requests {
                batch.apply(request).map_err(Fault::Storage)?;
            }
            if batch.finish()? {
                transaction.commit()?;
            } else {
                transaction.abort()?;
            }
            Ok::<_, Fault>(())
        };
        transact().map_err(StoreError::from)
    }

    /// Opens the database if it is not.
    fn reopen(&mut self) -> Result<(), StoreError> {
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        if shared.is_none() {
            *shared = Some(self.opener.open()?.0);
        }
        Ok(())
    }

    fn take_database(&self) -> Option<Database> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// While it is being opened anew.
pub(crate) fn closed() -> StoreError {
    StoreError::unavailable("the file is not open, after an error")
}

/// Requests in one transaction: enough that a sync is nothing for each, and few enough that none waits
/// long for the others.
const MOST: usize = 1_024;
