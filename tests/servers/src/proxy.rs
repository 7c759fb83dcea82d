//! What stands between a client and a server, and spoils it.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// Passes on what a client and a server say to each other, counts the round trips, and cuts off, eats or
/// delays what it is told to.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    round_trips: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_cut_off: bool,
    /// Whether what the server says waits.
    holds_replies: bool,
    /// How many replies are still to be eaten, with their connections, after how many others.
    eats: u32,
    spares: u32,
    delay: Duration,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Stands before the server at this address, such as `127.0.0.1:6379`.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (round_trips, state, changed) = Default::default();
        let shared = Arc::new(Shared { server, round_trips, state, changed });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                accepting.connect(client);
            }
        });
        Self { address, shared }
    }

    /// Where a client finds it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often a client has spoken after a server had, or first: one for each round trip, as long as no
    /// two are under way on one connection.
    pub fn round_trips(&self) -> u64 {
        self.shared.round_trips.load(Ordering::Relaxed)
    }

    /// Closes all connections, and takes no new one until [`restore`](Self::restore).
    pub fn cut_off(&self) {
        let mut state = self.shared.state();
        state.is_cut_off = true;
        self.shared.close_all(&mut state);
    }

    /// Lets nothing through that the server says until [`restore`](Self::restore): it seems to hang.
    pub fn hold_replies(&self) {
        self.shared.state().holds_replies = true;
    }

    /// Lets so many requests through, and closes the connection of each instead of giving its reply.
    pub fn eat_replies(&self, replies: u32) {
        self.shared.state().eats = replies;
    }

    /// As [`eat_replies`](Self::eat_replies) with one, after so many others.
    pub fn eat_reply_after(&self, others: u32) {
        let mut state = self.shared.state();
        (state.eats, state.spares) = (1, others);
    }

    /// Gives each reply so much later.
    pub fn delay_replies(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// Spoils nothing any more.
    pub fn restore(&self) {
        let mut state = self.shared.state();
        let open = std::mem::take(&mut state.open);
        *state = State { open, ..State::default() };
        self.shared.changed.notify_all();
    }
}

impl Drop for Proxy {
    /// Its thread ends with the process.
    fn drop(&mut self) {
        self.cut_off();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close_all(&self, state: &mut State) {
        for open in state.open.drain(..) {
            let _ = open.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        if self.state().is_cut_off {
            return;
        }
        let Ok(server) = TcpStream::connect(self.server) else { return };
        let halves = || io::Result::Ok((client.try_clone()?, server.try_clone()?));
        let (Ok(ends), Ok(kept)) = (halves(), halves()) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        self.state().open.extend([kept.0, kept.1]);
        let has_answered = Arc::new(AtomicBool::new(true));
        let (there, answered) = (Arc::clone(self), Arc::clone(&has_answered));
        thread::spawn(move || there.pass_requests(client, server, &answered));
        let back = Arc::clone(self);
        thread::spawn(move || back.pass_replies(ends.1, ends.0, &has_answered));
    }

    fn pass_requests(&self, mut client: TcpStream, mut server: TcpStream, answered: &AtomicBool) {
        let mut bytes = [0; 1 << 14];
        while let Ok(length @ 1..) = client.read(&mut bytes) {
            if answered.swap(false, Ordering::Relaxed) {
                self.round_trips.fetch_add(1, Ordering::Relaxed);
            }
            if server.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }

    fn pass_replies(&self, mut server: TcpStream, mut client: TcpStream, answered: &AtomicBool) {
        let mut bytes = [0; 1 << 14];
        while let Ok(length @ 1..) = server.read(&mut bytes) {
            let mut state = self.state();
            if state.eats > 0 {
                if state.spares == 0 {
                    state.eats -= 1;
                    break;
                }
                state.spares -= 1;
            }
            let delay = state.delay;
            let wait = |state: &mut State| state.holds_replies && !state.is_cut_off;
            drop(self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner));
            thread::sleep(delay);
            answered.store(true, Ordering::Relaxed);
            if client.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }
}
