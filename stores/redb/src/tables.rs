//! What is in the file: the records, and two indices of them that change in the same transaction.

use redb::{
    ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata, Table,
    TableDefinition, TableHandle, WriteTransaction,
};
use steadfast::idempotent::{Counts, Found, Key, Record, State, StoreError};

use crate::{
    codec,
    error::{Fault, OpenError},
};

/// The tables, to be written.
pub(crate) struct Tables<'t> {
    records: Table<'t, &'static [u8], &'static [u8]>,
    due: Table<'t, (u64, &'static [u8]), ()>,
    unfinished: Table<'t, &'static [u8], ()>,
    meta: Table<'t, &'static str, u64>,
    /// The greatest token so far, of all keys that ever were.
    pub(crate) tokens: u64,
    /// The latest time so far.
    pub(crate) clock: u64,
    /// Whether there is anything to commit.
    pub(crate) is_changed: bool,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, Fault> {
        let meta = transaction.open_table(META)?;
        let number = |name| Ok::<_, Fault>(meta.get(name)?.map_or(0, |number| number.value()));
        let (tokens, clock) = (number(TOKENS)?, number(CLOCK)?);
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            due: transaction.open_table(DUE)?,
            unfinished: transaction.open_table(UNFINISHED)?,
            meta,
            tokens,
            clock,
            is_changed: false,
        })
    }

    pub(crate) fn load(&self, key: &[u8]) -> Result<Option<Record>, Fault> {
        let bytes = self.records.get(key)?;
        Ok(bytes.map(|bytes| codec::decode(bytes.value())).transpose()?)
    }

    /// Saves what has become of a record, or a new one.
    pub(crate) fn save(
        &mut self,
        key: &[u8],
        before: Option<&Record>,
        record: &Record,
    ) -> Result<(), Fault> {
        self.is_changed = true;
        self.tokens = self.tokens.max(record.token);
        self.records.insert(key, &*codec::encode(record))?;
        let (was_due, is_due) = (before.map(due), due(record));
        if was_due != Some(is_due) {
            if let Some(was_due) = was_due {
                self.due.remove((was_due, key))?;
            }
            self.due.insert((is_due, key), ())?;
        }
        match (before.is_some_and(is_unfinished), is_unfinished(record)) {
            (false, true) => drop(self.unfinished.insert(key, ())?),
            (true, false) => drop(self.unfinished.remove(key)?),
            (true, true) | (false, false) => {}
        }
        Ok(())
    }

    pub(crate) fn keys(&self) -> Result<u64, Fault> {
        Ok(self.records.len()?)
    }

    /// Forgets records that have expired, so many at most, and says which.
    pub(crate) fn sweep(&mut self, now: u64, most: usize) -> Result<Vec<Vec<u8>>, Fault> {
        let end: (u64, &[u8]) = (now.saturating_add(1), &[]);
        let mut gone = Vec::new();
        for entry in self.due.range(..end)?.take(most) {
            let (entry, ()) = entry.map(|(entry, _)| (entry, ()))?;
            let (at, key) = entry.value();
            gone.push((at, key.to_vec()));
        }
        for (at, key) in &gone {
            self.is_changed = true;
            self.due.remove((*at, &**key))?;
            self.records.remove(&**key)?;
            self.unfinished.remove(&**key)?;
        }
        Ok(gone.into_iter().map(|(_, key)| key).collect())
    }

    /// What is written with everything else.
    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        self.meta.insert(TOKENS, self.tokens)?;
        self.meta.insert(CLOCK, self.clock)?;
        Ok(())
    }
}

/// Makes the tables if there are none yet, and says the latest time that the file has seen.
pub(crate) fn prepare(database: &redb::Database) -> Result<u64, OpenError> {
    match version(&database.begin_read().map_err(redb::Error::from)?)? {
        Some(FORMAT) => {}
        Some(other) => return Err(OpenError::Version(other)),
        None => {
            let mut transaction = database.begin_write().map_err(redb::Error::from)?;
            transaction.set_quick_repair(true);
            transaction
                .open_table(META)
                .map_err(redb::Error::from)?
                .insert(VERSION, FORMAT)
                .map_err(redb::Error::from)?;
            Tables::open(&transaction).and_then(Tables::finish).map_err(into_open_error)?;
            transaction.commit().map_err(redb::Error::from)?;
        }
    }
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let meta = transaction.open_table(META).map_err(redb::Error::from)?;
    let clock = meta.get(CLOCK).map_err(redb::Error::from)?;
    Ok(clock.map_or(0, |clock| clock.value()))
}

/// Has whoever opens the file after a crash read all of it, from the next commit on: where syncs are
/// left out, what a commit in two phases says of the file need not be so.
pub(crate) fn distrust(database: &redb::Database) -> Result<(), OpenError> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    Tables::open(&transaction).and_then(Tables::finish).map_err(into_open_error)?;
    transaction.commit().map_err(|error| redb::Error::from(error).into())
}

/// Of the format; `None` if there is nothing in the file.
fn version(transaction: &ReadTransaction) -> Result<Option<u64>, OpenError> {
    let mut tables = transaction.list_tables().map_err(redb::Error::from)?.peekable();
    if tables.peek().is_none() {
        return Ok(None);
    }
    if !tables.any(|table| table.name() == META.name()) {
        return Err(OpenError::Corrupt("its tables are those of something else".into()));
    }
    let meta = transaction.open_table(META).map_err(redb::Error::from)?;
    let version = meta.get(VERSION).map_err(redb::Error::from)?;
    version
        .map(|version| Some(version.value()))
        .ok_or_else(|| OpenError::Corrupt("it does not say which format it has".into()))
}

fn into_open_error(fault: Fault) -> OpenError {
    match fault {
        Fault::Own(error) => OpenError::Corrupt(error.into()),
        Fault::Storage(error) => error.into(),
    }
}

/// What has been committed: for those who only look.
pub(crate) struct Snapshot {
    records: ReadOnlyTable<&'static [u8], &'static [u8]>,
    unfinished: ReadOnlyTable<&'static [u8], ()>,
}

impl Snapshot {
    pub(crate) fn of(database: &redb::Database) -> Result<Self, Fault> {
        let transaction = database.begin_read()?;
        let records = transaction.open_table(RECORDS)?;
        Ok(Self { records, unfinished: transaction.open_table(UNFINISHED)? })
    }

    pub(crate) fn load(&self, key: &[u8]) -> Result<Option<Record>, Fault> {
        let bytes = self.records.get(key)?;
        Ok(bytes.map(|bytes| codec::decode(bytes.value())).transpose()?)
    }

    pub(crate) fn count(&self, now: u64) -> Result<Counts, Fault> {
        let mut counts = Counts::default();
        for entry in self.records.iter()? {
            counts.add(&codec::decode_head(entry?.1.value())?, now);
        }
        Ok(counts)
    }

    /// Those that were cut off, in the order of the keys, among all that nobody has finished.
    pub(crate) fn interrupted(
        &self,
        after: Option<&[u8]>,
        limit: usize,
        now: u64,
    ) -> Result<Vec<Found>, Fault> {
        let mut found = Vec::new();
        for entry in self.unfinished.range(after.unwrap_or_default()..)? {
            if found.len() >= limit {
                break;
            }
            let entry = entry?.0;
            let bytes = entry.value();
            if after == Some(bytes) {
                continue;
            }
            let Some(record) = self.load(bytes)? else { continue };
            if record.is_interrupted(now) && !record.is_expired(now) {
                let key = Key::from_bytes(bytes)
                    .ok_or_else(|| Fault::Own(StoreError::corrupt("a key is none")))?;
                found.push(Found::new(key, record, now));
            }
        }
        Ok(found)
    }
}

/// Panics unless the indices are those of the records.
#[cfg(test)]
pub(crate) fn check(database: &redb::Database) {
    use std::collections::BTreeSet;

    let transaction = database.begin_read().unwrap();
    let records = transaction.open_table(RECORDS).unwrap();
    let records: Vec<_> = (records.iter().unwrap())
        .map(|entry| entry.unwrap())
        .map(|(key, record)| (key.value().to_vec(), codec::decode(record.value()).unwrap()))
        .collect();
    let due_table = transaction.open_table(DUE).unwrap();
    let found: BTreeSet<_> = (due_table.iter().unwrap())
        .map(|entry| entry.unwrap().0)
        .map(|entry| (entry.value().0, entry.value().1.to_vec()))
        .collect();
    assert_eq!(found, records.iter().map(|(key, record)| (due(record), key.clone())).collect());
    let unfinished = transaction.open_table(UNFINISHED).unwrap();
    let found: BTreeSet<_> =
        unfinished.iter().unwrap().map(|entry| entry.unwrap().0.value().to_vec()).collect();
    let unfinished = records.iter().filter(|(_, record)| is_unfinished(record));
    assert_eq!(found, unfinished.map(|(key, _)| key.clone()).collect());
    let meta = transaction.open_table(META).unwrap();
    let tokens = meta.get(TOKENS).unwrap().map_or(0, |tokens| tokens.value());
    assert!(records.iter().all(|(_, record)| record.token <= tokens));
}

/// From when on the record may be forgotten: exactly when [`Record::is_expired`] says so.
fn due(record: &Record) -> u64 {
    match record.state {
        State::InProgress => record.expires_at.max(record.lease_until),
        _ => record.expires_at,
    }
}

/// Whether the record may be that of a run that was cut off, now or later.
fn is_unfinished(record: &Record) -> bool {
    matches!(record.state, State::InProgress | State::Interrupted)
}

const RECORDS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("records");
/// When a record may be forgotten, and its key.
const DUE: TableDefinition<(u64, &[u8]), ()> = TableDefinition::new("due");
/// The keys of the records in progress and interrupted.
const UNFINISHED: TableDefinition<&[u8], ()> = TableDefinition::new("unfinished");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

const VERSION: &str = "version";
const TOKENS: &str = "tokens";
const CLOCK: &str = "clock";
const FORMAT: u64 = 1;
