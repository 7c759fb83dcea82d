use std::{io, time::Duration};

use steadfast::{
    circuit_breaker::{self, CircuitBreaker, Window},
    fallback,
};

const RATE: f64 = 0.3;
const WINDOW: Window = Window::Calls(50);
const OPEN: Duration = Duration::from_secs(5);

#[steadfast::circuit_breaker(failure_rate = RATE, window = WINDOW, open_for = OPEN, min_calls = 2 + 3)]
async fn by_constants(movie: u64) -> io::Result<u64> {
    Ok(movie)
}

#[steadfast::circuit_breaker(
    failure_rate(1),
    window("1m30s"),
    min_calls(5),
    probes(2),
    slow_after(2s),
    slow_rate(0.9),
    when(any),
    per(movie)
)]
async fn in_parentheses(movie: u64) -> anyhow::Result<u64> {
    Ok(movie)
}

static ONCE: std::sync::OnceLock<CircuitBreaker> = std::sync::OnceLock::new();

struct Hosts {
    breaker: std::sync::Arc<CircuitBreaker>,
    more: Vec<CircuitBreaker>,
}

impl Hosts {
    #[steadfast::circuit_breaker(with = self.breaker, per = host)]
    async fn through_an_arc(&self, host: &str) -> io::Result<usize> {
        Ok(host.len())
    }

    #[steadfast::circuit_breaker(with = self.more[host.len() % self.more.len()])]
    async fn by_an_index(&self, host: &str) -> io::Result<usize> {
        Ok(host.len())
    }

    #[fallback(Self::guess)]
    #[steadfast::circuit_breaker(with = Self::shared())]
    async fn by_a_call(&self, host: &str) -> io::Result<usize> {
        Ok(host.len())
    }

    #[steadfast::circuit_breaker(with = ONCE.get_or_init(|| CircuitBreaker::new("once")))]
    async fn once(&mut self) -> io::Result<()> {
        self.more.clear();
        Ok(())
    }

    fn shared() -> &'static CircuitBreaker {
        static SHARED: CircuitBreaker = CircuitBreaker::new("shared");
        &SHARED
    }

    fn guess(&self, host: &str) -> usize {
        host.len()
    }
}

fn main() {
    drop(by_constants(1));
    drop(in_parentheses(1));
    let mut hosts = Hosts { breaker: CircuitBreaker::new("hosts").into(), more: Vec::new() };
    drop((hosts.through_an_arc(""), hosts.by_an_index(""), hosts.by_a_call("")));
    drop(hosts.once());
    assert!(circuit_breaker::CircuitBreaker::new("").settings().slow_after.is_none());
}
