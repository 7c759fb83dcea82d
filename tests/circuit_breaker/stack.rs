//! Beside the other policies.

use steadfast::retry::RetryBudget;
use tokio::time::Instant;

use super::*;

/// Every error is worth another attempt, but for that of the breaker.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_retried() {
    #[steadfast::retry(max = 5, when = any, budget = none)]
    #[steadfast::circuit_breaker(with = client.breaker, when = any)]
    async fn stubborn(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let client = Client::new(CircuitBreaker::new("stubborn").consecutive(2));
    client.peer.is(Mood::Fails);
    let error = stubborn(&client).await.expect_err("it fails twice, and then it is open");
    assert!(!error.is_open(), "the last error of an attempt that ran");
    assert_eq!(client.peer.calls(), 2);
    let start = Instant::now();
    assert!(stubborn(&client).await.expect_err("it is open").is_open());
    assert_eq!(start.elapsed(), Duration::ZERO, "no wait for nothing");
}

/// The same through another function, whose error says what it is.
#[tokio::test(start_paused = true)]
async fn nor_is_that_of_a_function_below() {
    #[steadfast::retry(max = 5, budget = none)]
    async fn outer(client: &Client, attempts: &mut u32) -> Result<u32, Trouble> {
        *attempts += 1;
        client.call().await
    }
    let client = Client::new(CircuitBreaker::new("below"));
    client.breaker.force_open();
    let mut attempts = 0;
    outer(&client, &mut attempts).await.expect_err("it is open");
    assert_eq!(attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_may_outlast_a_short_open_time() {
    #[steadfast::retry(max = 5, budget = none, jitter = "none")]
    #[steadfast::circuit_breaker(with = client.breaker)]
    async fn patient(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let short = CircuitBreaker::new("short").consecutive(1).open_for(SECOND);
    let client = Client::new(short);
    client.calls(1, Mood::Fails).await;
    client.peer.is(Mood::Well);
    let start = Instant::now();
    patient(&client).await.expect("it is over in a second, and the cap is ten");
    assert!(start.elapsed() >= 900 * Duration::from_millis(1), "{:?}", start.elapsed());
    assert_eq!(client.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn but_do_not_where_something_else_is_at_once() {
    #[steadfast::fallback(expr = 7)]
    #[steadfast::retry(max = 5, budget = none, jitter = "none")]
    #[steadfast::circuit_breaker(with = client.breaker)]
    async fn patient(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let short = CircuitBreaker::new("short, with a fallback").consecutive(1).open_for(SECOND);
    let client = Client::new(short);
    client.peer.is(Mood::Fails);
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(patient(&client).await.expect("the fallback stands in"), 7);
    }
    assert_eq!((start.elapsed(), client.peer.calls()), (Duration::ZERO, 1));
}

/// To hold a hundred callers until the one probe of them is let in would help nobody.
#[tokio::test(start_paused = true)]
async fn but_do_not_wait_longer_than_they_would() {
    #[steadfast::retry(max = 3, budget = none)]
    #[steadfast::circuit_breaker(with = client.breaker)]
    async fn call(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    #[steadfast::retry(max = 3, budget = none)]
    async fn through_another(client: &Client) -> Result<u32, Trouble> {
        client.call().await
    }
    let client = Client::new(CircuitBreaker::new("five").consecutive(1).open_for(5 * SECOND));
    client.peer.is(Mood::Fails);
    let start = Instant::now();
    for _ in 0..3 {
        call(&client).await.expect_err("it is down");
        through_another(&client).await.expect_err("it is down");
    }
    assert_eq!((start.elapsed(), client.peer.calls()), (Duration::ZERO, 1));
}

#[tokio::test(start_paused = true)]
async fn an_outer_breaker_ignores_an_inner_ones_refusal() {
    #[steadfast::circuit_breaker(consecutive = 1)]
    async fn outer(client: &Client) -> Result<u32, Trouble> {
        client.call().await
    }
    let client = Client::new(CircuitBreaker::new("inner"));
    client.breaker.force_open();
    for _ in 0..10 {
        outer(&client).await.expect_err("the inner one is open");
    }
    client.breaker.reset();
    outer(&client).await.expect("the outer one is not");
}

#[tokio::test(start_paused = true)]
async fn above_a_retry_it_judges_calls() {
    #[steadfast::circuit_breaker(with = client.breaker)]
    #[steadfast::retry(max = 3, base = "0s", budget = none)]
    async fn call(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let client = Client::new(CircuitBreaker::new("calls").consecutive(2));
    client.peer.is(Mood::Fails);
    for _ in 0..3 {
        call(&client).await.expect_err("it fails");
    }
    assert_eq!(client.peer.calls(), 6, "two calls of three attempts");
    assert_eq!(client.breaker.snapshot().counted.failures, 2);
}

/// Who shares a breaker shares a dependency, and so the budget of retries.
#[tokio::test(start_paused = true)]
async fn functions_with_one_breaker_have_one_budget() {
    static SHARED: CircuitBreaker = CircuitBreaker::new("shared").min_calls(u32::MAX);
    static PEER: Peer = Peer::new();
    #[steadfast::retry(max = 100, base = "0s")]
    #[steadfast::circuit_breaker(with = SHARED)]
    async fn one() -> Result<u32, Trouble> {
        PEER.answer().await
    }
    #[steadfast::retry(max = 100, base = "0s")]
    #[steadfast::circuit_breaker(with = SHARED)]
    async fn other() -> Result<u32, Trouble> {
        PEER.answer().await
    }
    #[steadfast::retry(max = 100, base = "0s", budget = OWN)]
    #[steadfast::circuit_breaker(with = SHARED)]
    async fn third() -> Result<u32, Trouble> {
        PEER.answer().await
    }
    static OWN: RetryBudget = RetryBudget::new();
    PEER.is(Mood::Fails);
    one().await.expect_err("it fails");
    assert_eq!(PEER.calls(), 11, "the ten retries of the floor");
    other().await.expect_err("it fails");
    assert_eq!(PEER.calls(), 12, "none is left");
    third().await.expect_err("it fails");
    assert_eq!(PEER.calls(), 23, "a budget of its own");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_for_each_attempt() {
    #[steadfast::deadline("10s")]
    #[steadfast::retry(max = 4, safe, base = "0s", budget = none)]
    #[steadfast::circuit_breaker(with = client.breaker)]
    #[steadfast::deadline("1s")]
    async fn call(client: &Client) -> Result<u32, Trouble> {
        client.peer.answer().await
    }
    let client = Client::new(CircuitBreaker::new("attempts").consecutive(3));
    client.peer.is(Mood::Hangs);
    let start = Instant::now();
    let error = call(&client).await.expect_err("it hangs");
    assert!(matches!(error, Trouble::Refused(Error::DeadlineExceeded { .. })), "{error}");
    assert!(call(&client).await.expect_err("it is open").is_open());
    assert_eq!((start.elapsed().as_secs(), client.peer.calls()), (3, 3));
}

/// A breaker in a field, whatever the body does to what the field is in.
#[tokio::test(start_paused = true)]
async fn in_a_field_of_what_the_body_takes() {
    use std::sync::Arc;

    struct Counter {
        breaker: CircuitBreaker,
        count: u32,
    }

    impl Counter {
        #[steadfast::circuit_breaker(with = self.breaker)]
        async fn changes(&mut self) -> Result<u32, Trouble> {
            self.count += 1;
            Ok(self.count)
        }

        #[steadfast::deadline("1s")]
        #[steadfast::retry]
        #[steadfast::circuit_breaker(with = self.breaker, per = 1 + self.count)]
        async fn keyed(&mut self) -> Result<u32, Trouble> {
            self.count += 1;
            Ok(self.count)
        }

        #[steadfast::circuit_breaker(with = self.breaker)]
        async fn ends(self) -> Result<u32, Trouble> {
            Ok(self.count)
        }
    }

    #[steadfast::deadline("1s")]
    #[steadfast::circuit_breaker(with = counter.breaker)]
    async fn owns(counter: Arc<Counter>) -> Result<Arc<Counter>, Trouble> {
        Ok(counter)
    }

    #[async_trait::async_trait]
    trait Counts {
        async fn count(&mut self) -> Result<u32, Trouble>;
    }

    #[async_trait::async_trait]
    impl Counts for Counter {
        #[steadfast::fallback(expr = self.count + 100)]
        #[steadfast::retry(budget = none)]
        #[steadfast::circuit_breaker(with = self.breaker)]
        async fn count(&mut self) -> Result<u32, Trouble> {
            self.count += 1;
            Ok(self.count)
        }
    }

    let mut counter = Counter { breaker: CircuitBreaker::new("counter"), count: 0 };
    assert_eq!(counter.changes().await.expect("it is well"), 1);
    assert_eq!(counter.keyed().await.expect("it is well"), 2);
    assert_eq!(counter.count().await.expect("it is well"), 3);
    counter.breaker.force_open();
    assert!(counter.changes().await.expect_err("it is open").is_open());
    assert_eq!(counter.count().await.expect("the fallback"), 103);
    counter.breaker.reset();
    assert_eq!(counter.ends().await.expect("it is well"), 3);
    let counter = Arc::new(Counter { breaker: CircuitBreaker::new("counter"), count: 7 });
    assert_eq!(owns(counter).await.expect("it is well").count, 7);
}

#[tokio::test(start_paused = true)]
async fn async_traits_futures_and_owned_arguments() {
    #[async_trait::async_trait]
    trait Shop {
        async fn price(&self, movie: String) -> Result<usize, Trouble>;
    }
    struct Cinema(CircuitBreaker);
    #[async_trait::async_trait]
    impl Shop for Cinema {
        #[steadfast::circuit_breaker(consecutive = 1, per = movie)]
        async fn price(&self, movie: String) -> Result<usize, Trouble> {
            let movie: String = movie; // moved
            if movie.is_empty() { Err(Trouble::FAILURE) } else { Ok(movie.len()) }
        }
    }
    #[steadfast::circuit_breaker(with = cinema.0)]
    fn boxed(
        cinema: &Cinema,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<usize, Trouble>> + Send + '_>> {
        Box::pin(async move { Ok(cinema.0.name().len()) })
    }
    let cinema = Cinema(CircuitBreaker::new("cinema"));
    assert_eq!(cinema.price("Alien".to_owned()).await.expect("it is well"), 5);
    cinema.price(String::new()).await.expect_err("it fails");
    assert!(cinema.price(String::new()).await.expect_err("it is open").is_open());
    assert_eq!(boxed(&cinema).await.expect("it is well"), 6);
    cinema.0.force_open();
    assert!(boxed(&cinema).await.expect_err("it is open").is_open());
}
