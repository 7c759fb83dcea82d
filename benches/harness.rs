//! Measures contenders side by side: in every round each one runs in turn, so that a change of
//! clock speed or load meets all of them, and only differences within a round are used.

use std::{
    cell::RefCell,
    hint::black_box,
    rc::Rc,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::{client::ApiError, heap::allocations};

/// One way to make the call.
pub struct Contender {
    pub name: &'static str,
    future_size: usize,
    batch: Box<dyn FnMut(u32)>,
    prepare: Box<dyn FnMut(Room)>,
}

impl Contender {
    /// Prepares the contender whose every call is `call(id).await`. `make` runs inside the
    /// runtime, as some peers start a task of their own.
    pub fn new<F, R>(name: &'static str, make: impl FnOnce() -> F) -> Self
    where
        F: AsyncFnMut(u64) -> Result<R, ApiError> + 'static,
    {
        // A runtime each: one contender's timers and tasks must not be another's work.
        let runtime = runtime();
        let mut call = {
            let _inside = runtime.enter();
            make()
        };
        let future_size = {
            let _inside = runtime.enter();
            size_of_val(&call(0))
        };
        let batch = Box::new(move |calls| repeat(&runtime, &mut call, calls));
        Self { name, future_size, batch, prepare: Box::new(|_| ()) }
    }

    /// Prepares the contender whose every call leaves something in `filled`. `make` is given that and
    /// the first of the ids which the calls of a batch add theirs to.
    pub fn filling<T, F, R>(
        name: &'static str,
        filled: &Arc<Filled<T>>,
        make: impl Fn(T, u64) -> F + 'static,
    ) -> Self
    where
        T: Clone + 'static,
        F: AsyncFnMut(u64) -> Result<R, ApiError> + 'static,
    {
        let filled = Arc::clone(filled);
        let call = Rc::new(RefCell::new(make(filled.shared(), filled.ids())));
        let (runtime, prepared) = (runtime(), Rc::clone(&call));
        let batch = move |calls| repeat(&runtime, &mut *prepared.borrow_mut(), calls);
        let future_size = size_of_val(&call.borrow_mut()(0));
        let prepare = move |room| {
            if let Room::Made = room {
                filled.make_room();
            }
            *call.borrow_mut() = make(filled.shared(), filled.ids());
        };
        Self { name, future_size, batch: Box::new(batch), prepare: Box::new(prepare) }
    }

    /// Prepares the contender whose every call is refused by a breaker: `make` gives one whose
    /// calls fail, and they are made until it is open.
    pub fn refused<F>(name: &'static str, make: impl FnOnce() -> F) -> Self
    where
        F: AsyncFnMut(u64) -> Result<u64, ApiError> + 'static,
    {
        Self::new(name, || {
            let mut call = make();
            Handle::current().block_on(open(&mut call));
            call
        })
    }

    /// Prepares a batch, which is no part of any call.
    pub fn prepare(&mut self, room: Room) {
        (self.prepare)(room);
    }

    /// Nanoseconds per call of a batch that is prepared.
    pub fn time(&mut self, calls: u32) -> f64 {
        let start = Instant::now();
        (self.batch)(calls);
        per_call(start.elapsed(), calls)
    }

    /// How many calls fill `time`; at least one, and `most` at most.
    pub fn calls_in(&mut self, time: Duration, most: u32) -> u32 {
        let mut calls = 1;
        loop {
            self.prepare(Room::Made);
            let start = Instant::now();
            (self.batch)(calls);
            if start.elapsed() >= time || calls >= most {
                return calls;
            }
            calls *= 2;
        }
    }

    // By difference, for what a runtime allocates when a batch enters it is no call's.
    fn allocations(&mut self) -> f64 {
        self.prepare(Room::Made);
        let few = allocations(|| (self.batch)(COUNTED));
        self.prepare(Room::Left);
        let more = allocations(|| (self.batch)(2 * COUNTED));
        f64::from(more.saturating_sub(few)) / f64::from(COUNTED)
    }
}

/// What the calls of a batch may find.
#[derive(Clone, Copy)]
pub enum Room {
    /// As much as there was at first, if it has grown scarce.
    Made,
    /// What others have left.
    Left,
}

/// What calls leave something in, made anew before there is too much in it to be that of a batch.
pub struct Filled<T> {
    make: Box<dyn Fn() -> T + Send + Sync>,
    made: Mutex<(T, u32)>,
    ids: AtomicU64,
}

impl<T: Clone> Filled<T> {
    pub fn new(make: impl Fn() -> T + Send + Sync + 'static) -> Arc<Self> {
        let first = Mutex::new((make(), 0));
        Arc::new(Self { make: Box::new(make), made: first, ids: AtomicU64::new(0) })
    }

    fn shared(&self) -> T {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.1 += 1;
        made.0.clone()
    }

    fn make_room(&self) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.1 >= BATCHES {
            *made = ((self.make)(), 0);
        }
    }

    /// The first of so many that no batch needs them all.
    fn ids(&self) -> u64 {
        self.ids.fetch_add(1 << 32, Ordering::Relaxed)
    }
}

/// What one contender costs.
#[derive(Debug)]
pub struct Cost {
    pub name: &'static str,
    /// Nanoseconds per call.
    pub nanos: f64,
    /// Nanoseconds per call on top of the first contender's in the same round.
    pub added: f64,
    /// Half of the distance between the quartiles of `added`.
    pub spread: f64,
    /// Heap allocations per call.
    pub allocations: f64,
    /// Bytes of the call's future.
    pub future_size: usize,
}

/// Measures a group; its first contender is the bare call.
pub fn measure(mut group: Vec<Contender>, rounds: usize) -> Vec<Cost> {
    // Short batches and many rounds: a round that is interrupted is outvoted in the median.
    let calls: Vec<u32> =
        group.iter_mut().map(|contender| contender.calls_in(BATCH, u32::MAX)).collect();
    let mut nanos = vec![Vec::with_capacity(rounds); group.len()];
    for round in 0..rounds {
        for turn in 0..group.len() {
            // Another one starts each round: nobody always runs after the same neighbour.
            let which = (turn + round) % group.len();
            // A neighbour that slept leaves a processor that has to wake up first.
            group[which].prepare(Room::Made);
            group[which].time(calls[which].div_ceil(4));
            group[which].prepare(Room::Left);
            nanos[which].push(group[which].time(calls[which]));
        }
    }
    let bare = nanos[0].clone();
    group.iter_mut().zip(nanos).map(|(contender, nanos)| cost(contender, nanos, &bare)).collect()
}

fn cost(contender: &mut Contender, nanos: Vec<f64>, bare: &[f64]) -> Cost {
    let added: Vec<f64> = nanos.iter().zip(bare).map(|(nanos, bare)| nanos - bare).collect();
    let [low, middle, high] = quartiles(added);
    let allocations = contender.allocations();
    Cost {
        name: contender.name,
        nanos: median(nanos),
        added: middle,
        spread: (high - low) / 2.0,
        allocations,
        future_size: contender.future_size,
    }
}

/// What `make` gives inside a runtime, for what is made before any contender.
pub fn made_inside<T>(make: impl FnOnce() -> T) -> T {
    let runtime = runtime();
    let _inside = runtime.enter();
    make()
}

/// Runs this to its end.
pub fn inside<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("the system has threads to give")
}

/// Makes `calls` calls, one after the other.
fn repeat<F, R>(runtime: &Runtime, call: &mut F, calls: u32)
where
    F: AsyncFnMut(u64) -> Result<R, ApiError>,
{
    runtime.block_on(async {
        for id in 0..calls {
            let _ = black_box(call(black_box(u64::from(id))).await);
        }
    });
}

async fn open<F>(call: &mut F)
where
    F: AsyncFnMut(u64) -> Result<u64, ApiError>,
{
    for id in 0..ENOUGH {
        let _ = call(id).await;
    }
    let refused = matches!(call(0).await, Err(error) if error.is_refusal());
    assert!(refused, "{ENOUGH} failures did not open a breaker");
}

fn per_call(elapsed: Duration, calls: u32) -> f64 {
    elapsed.as_secs_f64() * 1e9 / f64::from(calls)
}

/// The middle one; NaN if there is none.
pub fn median(values: Vec<f64>) -> f64 {
    let [_, median, _] = quartiles(values);
    median
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    if values.is_empty() {
        return [f64::NAN; 3];
    }
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[quarter * (values.len() - 1) / 4])
}

const BATCH: Duration = Duration::from_micros(300);
const COUNTED: u32 = 32;

/// Of some hundred calls each: what is filled has some ten thousand entries.
const BATCHES: u32 = 60;

/// More failures than any breaker here waits for.
const ENOUGH: u64 = 50;
