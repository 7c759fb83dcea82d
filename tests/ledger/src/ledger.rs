//! The ledger: a process that nothing befalls, and that writes down what the others say, in one order.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write, stdin},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use serde_json::{Value, json};

struct Book {
    file: File,
    lines: u64,
    began: Instant,
    /// What the first effect of a key has made.
    effects: HashMap<String, String>,
    /// The fencing side: the highest token of each key so far.
    highest: HashMap<String, u64>,
}

/// Answers until nobody holds its standard input any more.
pub(crate) fn run(folder: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(history(folder))?;
    let (effects, highest) = Default::default();
    let book = Book { file, lines: 0, began: Instant::now(), effects, highest };
    let book = Arc::new(Mutex::new(book));
    let listener = UnixListener::bind(folder.join(SOCKET))?;
    exit_with_the_driver();
    println!("{{}}");
    for connection in listener.incoming() {
        let (book, connection) = (Arc::clone(&book), connection?);
        thread::spawn(move || serve(&book, &connection));
    }
    Ok(())
}

/// Nobody outlives the driver, however it ends.
pub(crate) fn exit_with_the_driver() {
    thread::spawn(|| {
        let _ = io::copy(&mut stdin(), &mut io::sink());
        process::exit(0);
    });
}

pub(crate) fn history(folder: &Path) -> PathBuf {
    folder.join("history.jsonl")
}

/// One line, one answer. Whoever is killed half way has said nothing.
fn serve(book: &Mutex<Book>, connection: &UnixStream) -> io::Result<()> {
    let mut line = String::new();
    BufReader::new(connection).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Ok(());
    }
    let said = serde_json::from_str(&line)?;
    let answer = book.lock().unwrap_or_else(PoisonError::into_inner).note(said)?;
    let mut connection = connection;
    writeln!(connection, "{answer}")
}

impl Book {
    fn note(&mut self, mut said: Value) -> io::Result<Value> {
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let (kind, key, token) = (text("kind"), text("key"), said["token"].as_u64());
        let mut answer = json!({});
        match &*kind {
            "effect" => {
                self.effects.entry(key).or_insert_with(|| text("value"));
            }
            "fenced" => {
                let (token, highest) = (token.unwrap_or(0), self.highest.entry(key).or_default());
                answer["accepted"] = (token >= *highest).into();
                *highest = token.max(*highest);
                said["accepted"] = answer["accepted"].clone();
            }
            "find" => {
                answer["value"] = self.effects.get(&key).cloned().into();
                said["value"] = answer["value"].clone();
            }
            _ => {}
        }
        self.lines += 1;
        said["at"] = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).into();
        // In one piece: the file ends with a whole line at any time.
        self.file.write_all(format!("{said}\n").as_bytes())?;
        if matches!(&*kind, "answer" | "effect" | "fenced") {
            self.file.sync_data()?;
        }
        Ok(answer)
    }
}

/// What the others have of it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    socket: PathBuf,
    who: String,
}

impl Ledger {
    pub(crate) fn of(folder: &Path, who: &str) -> Self {
        Self { socket: folder.join(SOCKET), who: who.to_owned() }
    }

    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// Says it, and does not go on before it is written down.
    pub(crate) fn tell(&self, kind: &str, key: &str, mut more: Value) -> Value {
        more["kind"] = kind.into();
        more["key"] = key.into();
        more["who"] = self.who.clone().into();
        // Without the ledger nothing that follows would count.
        self.ask(&more).expect("the ledger is there as long as the driver is")
    }

    fn ask(&self, said: &Value) -> io::Result<Value> {
        let connection = UnixStream::connect(&self.socket)?;
        writeln!(&connection, "{said}")?;
        let mut line = String::new();
        BufReader::new(&connection).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}

const SOCKET: &str = "ledger";
