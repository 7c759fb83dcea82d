//! Figures, to be printed: `cargo test --release -p steadfast-redb --test figures -- --ignored --nocapture`.

use std::{
    future::Future,
    io::Write,
    iter,
    path::Path,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use redb::{Database, TableDefinition};
use steadfast::idempotent::{Claim, Claimed, Key, KeyStore, Stored};
use steadfast_redb::{Durability, Options, RedbStore};
use tokio::sync::oneshot;

fn key(number: u64) -> Key {
    Key::new("shop::charge", &number).unwrap()
}

/// Calls by so many callers at once, for a while: how many per second, and the times they took.
async fn rate<F>(callers: u64, call: impl Fn(u64) -> F + Clone + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let calls = (0..callers).map(|caller| {
        let call = call.clone();
        tokio::spawn(async move {
            let mut times = Vec::new();
            for number in (0..).map(|number| number * callers + caller) {
                let begun_call = Instant::now();
                call(number).await;
                times.push(begun_call.elapsed());
                if begun.elapsed() > WHILE {
                    break;
                }
            }
            times
        })
    });
    let mut times = Vec::new();
    for caller in calls.collect::<Vec<_>>() {
        times.extend(caller.await.unwrap());
    }
    times.sort_unstable();
    let per_second = times.len() as u64 / WHILE.as_secs();
    let (half, most) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    format!("{per_second}/s, p50 {half:.1?}, p99 {most:.1?}")
}

async fn run(store: RedbStore, number: u64) {
    let key = key(number);
    let claimed = store.claim(&key, &Claim::new(1)).await.unwrap();
    let Claimed::Acquired(acquired) = claimed else { panic!("{claimed:?}") };
    let result = Stored::of(&format!("{number:0200}"));
    let _ = store.complete(&key, acquired.token, true, result).await.unwrap();
}

async fn replay(store: RedbStore) {
    let claimed = store.claim(&key(0), &Claim::new(2)).await.unwrap();
    assert!(matches!(claimed, Claimed::Done(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn figures() {
    for durability in [Durability::Full, Durability::Process] {
        for callers in [1, 64, 512] {
            let folder = folder();
            let path = folder.path().join("keys.redb");
            let store = Options::new().durability(durability).open(path).unwrap();
            let [writes, more, reads] = [store.clone(), store.clone(), store];
            println!("{durability:?}, {callers} callers; a sync takes {:.1?}", sync());
            let runs = rate(callers, move |number| run(writes.clone(), number));
            println!("  claim and complete: {}", runs.await);
            let replays = move |_| replay(reads.clone());
            println!("  replays: {}", rate(callers, replays.clone()).await);
            let runs = rate(callers, move |number| run(more.clone(), number + (1 << 40)));
            let runs = tokio::spawn(runs);
            println!("  replays while as many write: {}", rate(callers, replays).await);
            println!("  those who write: {}", runs.await.unwrap());
        }
    }
}

/// The same two writes by the group commit that comes to mind: one table, a thread that takes what is
/// there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures"]
async fn beside_a_plain_group_commit() {
    for round in 0..4 {
        for is_quick in [false, true] {
            let folder = folder();
            let plain = Plain::open(&folder.path().join("plain.redb"), is_quick);
            println!("{round}: a sync takes {:.1?}", sync());
            let runs = rate(64, move |number| {
                let plain = plain.clone();
                async move {
                    plain.write(number, vec![0; 90]).await;
                    plain.write(number, vec![0; 290]).await;
                }
            });
            println!("  plain, quick repair {is_quick}: {}", runs.await);
        }
        let folder = folder();
        let store = RedbStore::open(folder.path().join("keys.redb")).unwrap();
        println!("{round}: a sync takes {:.1?}", sync());
        println!("  ours: {}", rate(64, move |number| run(store.clone(), number)).await);
    }
}

/// Where there is a disk, which the folder for temporary files need not be on.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

fn sync() -> Duration {
    let mut file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let begun = Instant::now();
    for _ in 0..100 {
        file.write_all(&[0; 4_096]).unwrap();
        file.sync_data().unwrap();
    }
    begun.elapsed() / 100
}

type Row = (u64, Vec<u8>, oneshot::Sender<()>);

#[derive(Clone)]
struct Plain(mpsc::Sender<Row>);

impl Plain {
    fn open(path: &Path, is_quick: bool) -> Self {
        const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("keys");
        let database = Database::create(path).unwrap();
        let (rows, received) = mpsc::channel::<Row>();
        thread::spawn(move || {
            while let Ok(first) = received.recv() {
                let mut transaction = database.begin_write().unwrap();
                transaction.set_quick_repair(is_quick);
                let mut done = Vec::new();
                let mut table = transaction.open_table(TABLE).unwrap();
                for (number, row, is_done) in iter::once(first).chain(received.try_iter()) {
                    table.insert(number, &*row).unwrap();
                    done.push(is_done);
                }
                drop(table);
                transaction.commit().unwrap();
                for done in done {
                    done.send(()).unwrap();
                }
            }
        });
        Self(rows)
    }

    async fn write(&self, number: u64, row: Vec<u8>) {
        let (is_done, done) = oneshot::channel();
        self.0.send((number, row, is_done)).unwrap();
        done.await.unwrap();
    }
}

const WHILE: Duration = Duration::from_secs(2);
