use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread::{Builder, JoinHandle},
};

use steadfast::idempotent::StoreError;

use crate::{
    error::OpenError,
    open::Opener,
    reader::Reader,
    request::{Operation, Request},
    writer::{Shared, Writer},
};

/// The way to the threads. Dropped, it waits until all is done that was asked for.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) shared: Shared,
    reader: Thread,
    writer: Thread,
}

impl Handle {
    /// Opens the database, and starts the threads; with the latest time that the file has seen.
    pub(crate) fn start(opener: Opener, max_keys: u64) -> Result<(Self, u64), OpenError> {
        let shared = Shared::default();
        let (report, reported) = channel();
        let writer = Writer::new(opener, shared.clone(), max_keys);
        let writer = Thread::start("keys-write", move |requests| {
            let latest = writer.open();
            let is_open = latest.is_ok();
            if report.send(latest).is_ok() && is_open {
                writer.run(requests);
            }
        })?;
        // redb panics where a file is damaged in some ways.
        let panicked = |_| OpenError::Corrupt("reading it has panicked".into());
        let latest = reported.recv().map_err(panicked)??;
        let reader = Reader { shared: shared.clone(), writer: writer.sender() };
        let reader = Thread::start("keys-read", move |requests| reader.run(requests))?;
        Ok((Self { shared, reader, writer }, latest))
    }

    pub(crate) fn send(&self, request: Request) -> Result<(), StoreError> {
        let thread = match request.operation {
            Operation::Claim { .. } => &self.reader,
            _ => &self.writer,
        };
        let sender = thread.requests.as_ref();
        sender.and_then(|sender| sender.send(request).ok()).ok_or_else(ended)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // It hands on what it has.
        self.reader.join();
        self.writer.join();
    }
}

/// A thread, and what it is asked for.
#[derive(Debug)]
struct Thread {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Thread {
    fn start(
        name: &str,
        run: impl FnOnce(&Receiver<Request>) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (requests, received) = channel();
        let thread = Builder::new().name(name.to_owned()).spawn(move || run(&received));
        Ok(Self { requests: Some(requests), thread: Some(thread.map_err(OpenError::Io)?) })
    }

    /// Another way to it: while there is one, it does not end.
    fn sender(&self) -> Option<Sender<Request>> {
        self.requests.clone()
    }

    fn join(&mut self) {
        drop(self.requests.take());
        if let Some(thread) = self.thread.take() {
            // It has panicked, at worst, and said so.
            let _ = thread.join();
        }
    }
}

/// Its thread has panicked.
pub(crate) fn ended() -> StoreError {
    StoreError::unavailable("its thread has ended")
}
