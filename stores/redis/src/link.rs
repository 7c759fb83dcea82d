//! A connection to one server that is replaced when it fails.
//!
//! redis-rs has one too, which goes on with a connection whose peer has silently gone, and for ever with
//! a password that was once refused.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use redis::{
    Cmd, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::{sync::watch, time::timeout};

use crate::source::Source;

pub(crate) struct Link {
    source: Source,
    limit: Duration,
    latest: Mutex<Option<Attempt>>,
}

/// What a server is asked.
#[derive(Clone, Copy)]
pub(crate) enum Question<'a> {
    One(&'a Cmd),
    /// Answered with an array, in which some may be errors.
    Several(&'a Pipeline),
}

/// A connection that there is, or will be.
#[derive(Clone)]
struct Attempt(watch::Receiver<Option<RedisResult<MultiplexedConnection>>>);

impl Link {
    pub(crate) async fn connect(source: Source, limit: Duration) -> RedisResult<Self> {
        let link = Self { source, limit, latest: Mutex::default() };
        link.attempt().connection().await?;
        Ok(link)
    }

    /// Asks, and once more if the connection turns out to be broken: what it was used for is for each
    /// caller to know again. All of it is bounded.
    pub(crate) async fn ask(
        &self,
        question: Question<'_>,
        is_repeatable: bool,
    ) -> RedisResult<Value> {
        let mut attempt = self.attempt();
        let asking = async {
            let answer = attempt.ask(question).await;
            match answer {
                Err(error) if is_repeatable && is_of_the_connection(&error) => {
                    self.give_up(&attempt);
                    attempt = self.attempt();
                    attempt.ask(question).await
                }
                answer => answer,
            }
        };
        let answer = timeout(self.limit, asking).await.unwrap_or_else(|_| Err(late(self.limit)));
        if answer.as_ref().is_err_and(is_of_the_connection) {
            self.give_up(&attempt);
        }
        answer
    }

    /// The connection to use, or a new one if the last has failed. It is made whether or not who asked
    /// for it still waits, so that callers in a hurry do not keep each other from having one.
    fn attempt(&self) -> Attempt {
        let mut latest = self.latest();
        if let Some(attempt) = latest.as_ref().filter(|attempt| !attempt.has_failed()) {
            return attempt.clone();
        }
        let (tell, told) = watch::channel(None);
        let (source, limit) = (self.source.clone(), self.limit);
        tokio::spawn(async move {
            let connected = timeout(limit, source.connect(limit)).await;
            tell.send_replace(Some(connected.unwrap_or_else(|_| Err(late(limit)))));
        });
        latest.insert(Attempt(told)).clone()
    }

    /// No more of this connection, unless there is another one already.
    fn give_up(&self, attempt: &Attempt) {
        let mut latest = self.latest();
        if latest.as_ref().is_some_and(|latest| latest.0.same_channel(&attempt.0))
            && attempt.0.borrow().is_some()
        {
            *latest = None;
        }
    }

    fn latest(&self) -> MutexGuard<'_, Option<Attempt>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt {
    async fn ask(&self, question: Question<'_>) -> RedisResult<Value> {
        let mut connection = self.connection().await?;
        match question {
            Question::One(command) => connection.req_packed_command(command).await?.extract_error(),
            Question::Several(commands) => {
                connection.req_packed_commands(commands, 0, commands.len()).await.map(Value::Array)
            }
        }
    }

    async fn connection(&self) -> RedisResult<MultiplexedConnection> {
        match self.0.clone().wait_for(Option::is_some).await.as_deref() {
            Ok(Some(connected)) => connected.clone(),
            // The runtime that it was made in is gone.
            Ok(None) | Err(_) => Err(io::Error::from(io::ErrorKind::NotConnected).into()),
        }
    }

    fn has_failed(&self) -> bool {
        match &*self.0.borrow() {
            Some(connected) => connected.is_err(),
            None => self.0.has_changed().is_err(),
        }
    }
}

/// Whether another connection may do better.
fn is_of_the_connection(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        )
        || matches!(error.code(), Some("NOAUTH" | "NOREPLICAS" | "WRONGPASS" | "UNBLOCKED"))
}

fn late(limit: Duration) -> RedisError {
    io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {limit:?}")).into()
}
