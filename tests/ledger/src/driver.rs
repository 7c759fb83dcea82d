//! The driver's hands: it starts the processes, hears what they say, and starts anew who died.

use std::{
    collections::{BTreeSet, HashMap},
    env,
    ffi::OsStr,
    fs,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{self, Child, ChildStdout, Command, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    checker::{self, Report},
    engine::{Engine, Running},
    history::History,
    jobs::{LEASE, kind},
    ledger,
    mutants::Mutant,
    points::{Blow, Point, name_of},
};

/// A ledger, a server and workers, in a folder of their own.
pub(crate) struct World {
    binary: PathBuf,
    folder: PathBuf,
    mutant: Option<Mutant>,
    /// Dropped in this order: a worker without a ledger is in despair.
    workers: Vec<Worker>,
    engine: Running,
    ledger: Process,
    /// How many processes were workers.
    born: usize,
    says: Sender<(usize, Option<Value>)>,
    heard: Receiver<(usize, Option<Value>)>,
    calls: u64,
    /// Of the calls that were answered.
    outcomes: HashMap<u64, String>,
    keys: BTreeSet<String>,
    /// How long a worker that is stopped stays so.
    pub(crate) stopped_for: Duration,
}

struct Worker {
    process: Process,
    born: usize,
    /// Until when it is stopped, and which of its calls wait for that to be over.
    stopped: Option<(Instant, Vec<u64>)>,
}

/// What one call is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calling {
    pub(crate) amount: u64,
    pub(crate) hold: Duration,
    pub(crate) blow: Option<(Point, Blow)>,
    /// Whether it is one of those that find out what has become of a key.
    pub(crate) is_last: bool,
}

impl Calling {
    pub(crate) const PLAIN: Self =
        Self { amount: 1, hold: Duration::from_millis(40), blow: None, is_last: false };

    pub(crate) fn hold(millis: u64) -> Self {
        Self { hold: Duration::from_millis(millis), ..Self::PLAIN }
    }

    pub(crate) fn blow(self, point: Point, blow: Blow) -> Self {
        Self { blow: Some((point, blow)), ..self }
    }
}

impl World {
    pub(crate) fn new(
        binary: &Path,
        engine: Engine,
        workers: usize,
        mutant: Option<Mutant>,
    ) -> io::Result<Self> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        // Not deep in a target folder: the path of a socket has some hundred characters at most.
        let folder = env::temp_dir().join(format!("steadfast-ledger-{}-{number}", process::id()));
        fs::create_dir_all(&folder)?;
        let (binary, stopped_for) = (binary.to_owned(), 2 * LEASE + LEASE / 2);
        let text = folder.to_string_lossy().into_owned();
        let (ledger, _) = Process::start(&binary, &["ledger", &text])?;
        let engine = Running::start(engine, &binary, &folder, mutant)?;
        let (says, heard) = channel();
        let (outcomes, keys) = Default::default();
        let mut world = Self {
            binary,
            folder,
            mutant,
            ledger,
            engine,
            workers: Vec::new(),
            born: 0,
            says,
            heard,
            calls: 0,
            outcomes,
            keys,
            stopped_for,
        };
        for _ in 0..workers {
            let worker = world.new_worker()?;
            world.workers.push(worker);
        }
        Ok(world)
    }

    pub(crate) fn workers(&self) -> usize {
        self.workers.len()
    }

    fn new_worker(&mut self) -> io::Result<Worker> {
        let (born, says) = (self.born, self.says.clone());
        self.born += 1;
        let (folder, name) = (self.folder.to_string_lossy(), format!("worker {born}"));
        let mutant = self.mutant.map_or("none", Mutant::name);
        let role = ["worker", &folder, &name, mutant, &self.engine.address()];
        let (process, out) = Process::start_at(&self.binary, &role, clock(born))?;
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str(&line) {
                    let _ = says.send((born, Some(line)));
                }
            }
            let _ = says.send((born, None));
        });
        Ok(Worker { process, born, stopped: None })
    }

    /// Has a worker call. What it has not read when it is killed has not been called.
    pub(crate) fn call(&mut self, worker: usize, key: &str, calling: Calling) -> u64 {
        self.calls += 1;
        self.keys.insert(key.to_owned());
        let Calling { amount, hold, blow, is_last } = calling;
        let mut line = json!({
            "call": self.calls, "key": key, "amount": amount, "last": is_last,
            "hold": u64::try_from(hold.as_millis()).unwrap_or(0),
        });
        if let Some((point, blow)) = blow {
            line["point"] = name_of(&Point::ALL, point).into();
            line["blow"] = name_of(&Blow::ALL, blow).into();
        }
        self.workers[worker].process.say(&line);
        self.calls
    }

    /// Lets time pass, in which the dead are replaced and the stopped go on.
    pub(crate) fn pass(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if let Ok((born, said)) = self.heard.recv_timeout(left.min(LEASE / 10)) {
                self.hear(born, said)?;
            }
            for worker in &mut self.workers {
                worker.go_on_if_it_is_time()?;
            }
            if left.is_zero() {
                return Ok(());
            }
        }
    }

    fn hear(&mut self, born: usize, said: Option<Value>) -> io::Result<()> {
        if let Some(call) = said.as_ref().and_then(|said| said["answered"].as_u64()) {
            let outcome = said.as_ref().and_then(|said| said["outcome"].as_str());
            self.outcomes.insert(call, outcome.unwrap_or_default().to_owned());
        }
        let Some(at) = self.workers.iter().position(|worker| worker.born == born) else {
            return Ok(());
        };
        match said.map(|said| said["stops"].as_u64()) {
            None => self.workers[at] = self.new_worker()?,
            Some(Some(stop)) => self.workers[at].stop(stop, self.stopped_for)?,
            Some(None) => {}
        }
        Ok(())
    }

    /// The server dies, and comes back on the same file after so long.
    pub(crate) fn kill_server(&mut self, away: Duration) -> io::Result<()> {
        self.engine.kill()?;
        ledger::Ledger::of(&self.folder, "driver").tell("server killed", "", json!({}));
        self.pass(away)?;
        self.engine.restart()
    }

    /// Nothing befalls anybody any more; then each key is asked for until something final has become of
    /// it, for at most so long. The server is killed once more, and all that was kept is asked for again.
    pub(crate) fn settle(&mut self, patience: Duration) -> io::Result<()> {
        for worker in &mut self.workers {
            worker.process.say(&json!({ "calm": true }));
        }
        // Until the dead are replaced, and the stopped have gone on.
        self.pass(self.stopped_for)?;
        let until = Instant::now() + patience;
        let keys: Vec<_> = self.keys.iter().filter(|key| kind(key) != "short").cloned().collect();
        let (mut open, mut kept) = (keys, Vec::new());
        while !open.is_empty() && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let outcomes = self.ask_all(&open, left.min(patience / 3))?;
            kept.extend(
                open.iter().filter(|key| outcomes.get(*key).is_some_and(|o| o == "Ok")).cloned(),
            );
            open.retain(|key| {
                !outcomes.get(key).is_some_and(|outcome| checker::is_final(key, outcome))
            });
        }
        self.kill_server(Duration::ZERO)?;
        self.ask_all(&kept, patience)?;
        Ok(())
    }

    /// One call for each key; what has come of those that were answered in time.
    fn ask_all(
        &mut self,
        keys: &[String],
        patience: Duration,
    ) -> io::Result<HashMap<String, String>> {
        let mut asked = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            let calling = Calling { is_last: true, ..Calling::PLAIN };
            asked.push((self.call(at % self.workers.len(), key, calling), key.clone()));
        }
        let until = Instant::now() + patience;
        while Instant::now() < until
            && !asked.iter().all(|(call, _)| self.outcomes.contains_key(call))
        {
            self.pass(LEASE / 50)?;
        }
        let outcome = |(call, key)| Some((key, self.outcomes.get(&call)?.clone()));
        Ok(asked.into_iter().filter_map(outcome).collect())
    }

    /// What has happened so far.
    pub(crate) fn history(&self) -> io::Result<History> {
        Ok(History::read(&fs::read_to_string(ledger::history(&self.folder))?))
    }

    /// What the checker has to say of all that has happened. A history with a violation stays, unless a
    /// mutant is to blame, and any if the environment says so.
    pub(crate) fn check(self) -> io::Result<Report> {
        let mut report = checker::check(&self.history()?);
        drop((self.workers, self.engine, self.ledger));
        let is_news = !report.violations.is_empty() && self.mutant.is_none();
        if is_news || env::var_os("STEADFAST_LEDGER_KEEP").is_some() {
            report.kept_in = Some(self.folder);
        } else {
            fs::remove_dir_all(&self.folder)?;
        }
        Ok(report)
    }
}

impl Worker {
    /// One of its calls is where it is to be stopped, and waits for that.
    fn stop(&mut self, call: u64, time: Duration) -> io::Result<()> {
        if let Some((_, calls)) = &mut self.stopped {
            calls.push(call);
            return Ok(());
        }
        self.process.signal("-STOP")?;
        self.stopped = Some((Instant::now() + time, vec![call]));
        Ok(())
    }

    fn go_on_if_it_is_time(&mut self) -> io::Result<()> {
        let Some((_, calls)) = self.stopped.take_if(|(until, _)| *until <= Instant::now()) else {
            return Ok(());
        };
        self.process.signal("-CONT")?;
        for call in calls {
            self.process.say(&json!({ "goes_on": call }));
        }
        Ok(())
    }
}

/// How far a worker's wall clock is off: an hour early, right, or an hour late. It must change nothing.
fn clock(born: usize) -> Option<&'static str> {
    [None, Some("-1h"), Some("+1h")][born % 3]
}

/// A process that does not outlive its handle.
pub(crate) struct Process(Child);

impl Process {
    /// Starts one, and waits until it is ready.
    pub(crate) fn start(
        binary: &Path,
        role: &[impl AsRef<OsStr>],
    ) -> io::Result<(Self, BufReader<ChildStdout>)> {
        Self::start_at(binary, role, None)
    }

    /// Starts one whose wall clock is off by so much.
    fn start_at(
        binary: &Path,
        role: &[impl AsRef<OsStr>],
        clock: Option<&str>,
    ) -> io::Result<(Self, BufReader<ChildStdout>)> {
        let mut command = Command::new(binary);
        command.args(role).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(off) = clock {
            steadfast_test_servers::shift_clock(&mut command, off);
        }
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or_else(|| io::Error::other("it has a pipe"))?;
        let (process, mut out, mut ready) = (Self(child), BufReader::new(out), String::new());
        out.read_line(&mut ready)?;
        if ready.is_empty() {
            let role = role[0].as_ref().to_string_lossy();
            return Err(io::Error::other(format!("the {role} did not come up")));
        }
        Ok((process, out))
    }

    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    fn say(&mut self, line: &Value) {
        if let Some(stdin) = &mut self.0.stdin {
            // If it is dead, somebody will notice.
            let _ = writeln!(stdin, "{line}");
        }
    }

    fn signal(&self, signal: &str) -> io::Result<()> {
        Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .stderr(Stdio::null())
            .status()?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
