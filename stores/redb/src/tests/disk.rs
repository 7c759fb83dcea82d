use std::{
    io, mem,
    ops::{Bound, Range},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use redb::{BackendError, StorageBackend};

use super::Chance;

/// A disk in memory that forgets what was not synced when its power fails, and fails when told to.
#[derive(Clone, Debug, Default)]
pub(super) struct TestDisk(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
pub(super) struct State {
    /// What is on it.
    durable: Vec<u8>,
    /// What a process reads.
    cached: Vec<u8>,
    /// What is on its way.
    pending: Vec<Change>,
    /// Each plug is good for as long as the power stays on.
    power: u32,
    pub(super) syncs: u64,
    /// How many operations go well until the power fails.
    pub(super) operations_left: Option<u64>,
    /// Whether no sync comes to an end, and how many wait.
    are_syncs_held: bool,
    waiting: u32,
    pub(super) is_full: bool,
    /// The syncs that fail, and lose what they were to keep.
    pub(super) failing_syncs: Range<u64>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

/// What a power failure leaves of what was on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    Nothing,
    /// Some writes, in no order.
    Some,
    /// Some writes, and of each only some sectors.
    Torn,
    /// All but a part of the last one.
    AllButTheLast,
    /// Some writes, and none of what names all others.
    NoHeader,
}

impl Left {
    pub(super) fn any(chance: &mut Chance) -> Self {
        match chance.below(5) {
            0 => Self::Nothing,
            1 => Self::Some,
            2 => Self::Torn,
            3 => Self::AllButTheLast,
            _ => Self::NoHeader,
        }
    }
}

impl TestDisk {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plug_in(&self) -> Plug {
        Plug { disk: self.clone(), power: self.state().power }
    }

    /// The process is killed: what it has written stays on its way.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        state.power += 1;
        state.operations_left = None;
    }

    pub(super) fn lose_power(&self, left: Left, chance: &mut Chance) {
        let state = &mut *self.state();
        let pending = mem::take(&mut state.pending);
        let last = pending.len().saturating_sub(1);
        for (at, change) in pending.into_iter().enumerate() {
            let whole = match left {
                Left::Nothing => continue,
                Left::NoHeader if matches!(change, Change::Write { offset: 0, .. }) => continue,
                Left::Some | Left::Torn | Left::NoHeader if chance.below(2) == 0 => continue,
                Left::Some | Left::NoHeader => true,
                Left::Torn => chance.below(2) == 0,
                Left::AllButTheLast => at < last,
            };
            change.apply_in_part(&mut state.durable, (!whole).then_some(&mut *chance));
        }
        state.cached = state.durable.clone();
        state.power += 1;
        (state.operations_left, state.failing_syncs) = (None, 0..0);
    }

    /// Lets no sync end, until the guard is dropped.
    pub(super) fn hold_syncs(&self) -> impl Drop + use<> {
        struct Held(TestDisk);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.state().are_syncs_held = false;
                self.0.0.1.notify_all();
            }
        }
        self.state().are_syncs_held = true;
        Held(self.clone())
    }

    /// Waits until somebody waits for a sync.
    pub(super) fn wait_for_sync(&self) {
        drop(self.0.1.wait_while(self.state(), |state| state.waiting == 0).unwrap());
    }
}

impl State {
    fn operate(&mut self, power: u32) -> io::Result<()> {
        if let Some(left) = &mut self.operations_left {
            *left = left.checked_sub(1).ok_or_else(|| io::Error::other("the power is off"))?;
        }
        if self.power == power { Ok(()) } else { Err(io::Error::other("the power was off")) }
    }

    fn change(&mut self, power: u32, change: Change) -> io::Result<()> {
        self.operate(power)?;
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        change.apply_in_part(&mut self.cached, None);
        self.pending.push(change);
        Ok(())
    }
}

impl Change {
    fn apply_in_part(&self, image: &mut Vec<u8>, mut chance: Option<&mut Chance>) {
        match self {
            Self::Length(length) => image.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write { offset, data } => {
                let offset = usize::try_from(*offset).unwrap();
                if image.len() < offset + data.len() {
                    image.resize(offset + data.len(), 0);
                }
                for (at, sector) in data.chunks(SECTOR).enumerate() {
                    if chance.as_mut().is_none_or(|chance| chance.below(2) == 0) {
                        let from = offset + at * SECTOR;
                        image[from..from + sector.len()].copy_from_slice(sector);
                    }
                }
            }
        }
    }
}

/// The disk, as one opening of the file has it.
#[derive(Debug)]
pub(super) struct Plug {
    disk: TestDisk,
    power: u32,
}

impl StorageBackend for Plug {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        let offset = usize::try_from(offset).unwrap();
        let read = state.cached.get(offset..offset + out.len());
        out.copy_from_slice(read.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.state().change(self.power, Change::Length(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        if state.are_syncs_held {
            state.waiting += 1;
            self.disk.0.1.notify_all();
            state = self.disk.0.1.wait_while(state, |state| state.are_syncs_held).unwrap();
            state.waiting -= 1;
        }
        state.operate(self.power)?;
        state.syncs += 1;
        let pending = mem::take(&mut state.pending);
        if state.failing_syncs.contains(&state.syncs) {
            // As the kernel has it: what is in the cache stays there, and nobody writes it any more.
            return Err(io::Error::other("no disk"));
        }
        for change in pending {
            change.apply_in_part(&mut state.durable, None);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.state().change(self.power, Change::Write { offset, data: data.to_vec() })
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(true)
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        Ok(())
    }
}

/// What a disk writes as a whole.
const SECTOR: usize = 512;
