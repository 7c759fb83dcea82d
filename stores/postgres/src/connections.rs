//! The store's own connections.

use std::{
    fmt, io,
    mem::take,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use sqlx::{
    Connection, Executor, PgConnection,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time,
};

use crate::{
    failure::{Failure, ends_connection},
    statement::Statement,
};

/// So many at most, of which the one that was used last is used next.
pub(crate) struct Connections {
    options: PgConnectOptions,
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
    timeout: Duration,
}

#[derive(Default)]
struct Idle(Mutex<Vec<PgConnection>>);

/// Whether a statement that has been sent may be sent once more, as its reply may have been lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    May,
    MayNot,
}

impl Connections {
    pub(crate) fn new(options: PgConnectOptions, most: usize, timeout: Duration) -> Self {
        let permits = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Self { options, permits, idle: Arc::default(), timeout }
    }

    /// Sends a statement, and gives the rows of its reply, within the timeout.
    pub(crate) async fn ask(
        &self,
        statement: &Statement,
        again: Again,
    ) -> Result<Vec<PgRow>, Failure> {
        if let Ok(answer) = time::timeout(self.timeout, self.send(statement, again)).await {
            return Ok(answer?);
        }
        // A network that lets nothing through closes nothing.
        self.idle.forget();
        Err(Failure::TimedOut)
    }

    /// How long an operation may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    async fn send(&self, statement: &Statement, again: Again) -> Result<Vec<PgRow>, sqlx::Error> {
        let closed = |_| sqlx::Error::PoolClosed;
        let mut permit = Arc::clone(&self.permits).acquire_owned().await.map_err(closed)?;
        if let Some(mut connection) = self.idle.pop() {
            // One that has been closed meanwhile, by a server that was started anew, is noticed by its use.
            let is_there = again == Again::May || connection.ping().await.is_ok();
            if is_there {
                match self.exchange(connection, statement, permit).await {
                    (Err(error), kept) if again == Again::May && ends_connection(&error) => {
                        permit = kept;
                    }
                    (answer, _) => return answer,
                }
            }
        }
        let connection = PgConnection::connect_with(&self.options).await?;
        self.exchange(connection, statement, permit).await.0
    }

    fn exchange(
        &self,
        mut connection: PgConnection,
        statement: &Statement,
        permit: OwnedSemaphorePermit,
    ) -> Exchange {
        let (sql, idle) = (statement.to_sql(), Arc::clone(&self.idle));
        Exchange(Some(Box::pin(async move {
            let asked = connection.fetch_all(sqlx::raw_sql(sql));
            let late = |_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
            let answer = time::timeout(LONGEST, asked).await.unwrap_or_else(late);
            match &answer {
                Err(error) if ends_connection(error) => idle.forget(),
                _ => idle.push(connection),
            }
            (answer, permit)
        })))
    }
}

/// What has been sent goes on where nobody waits for it any more: a server process that is stuck does not
/// notice that its connection is closed, and closing it would make room for another one.
struct Exchange(Option<Pin<Box<dyn Future<Output = Answer> + Send>>>);

type Answer = (Result<Vec<PgRow>, sqlx::Error>, OwnedSemaphorePermit);

impl Future for Exchange {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(exchange) = &mut self.0 else { return Poll::Pending };
        let answer = ready!(exchange.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(answer)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let (Some(exchange), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            drop(runtime.spawn(exchange));
        }
    }
}

impl Idle {
    fn pop(&self) -> Option<PgConnection> {
        self.locked().pop()
    }

    fn push(&self, connection: PgConnection) {
        self.locked().push(connection);
    }

    /// What has ended one has ended the others.
    fn forget(&self) {
        let forgotten = take(&mut *self.locked());
        drop(forgotten);
    }

    fn locked(&self) -> MutexGuard<'_, Vec<PgConnection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("host", &self.options.get_host())
            .field("port", &self.options.get_port())
            .field("database", &self.options.get_database())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// After that, a connection without a reply is given up, and another one may be opened for it.
const LONGEST: Duration = Duration::from_mins(1);
