//! The shop's side: what to recommend to a user, asked in three ways.

use std::time::Duration;

use reqwest::Client;
use steadfast::{Fault, circuit_breaker, circuit_breaker::Snapshot, deadline, fallback, retry};
use tokio::time::{error::Elapsed, sleep, timeout};

use crate::payments::Style;

/// The shop's way to one recommendations provider.
#[derive(Debug)]
pub(crate) struct Recommendations {
    http: Client,
    url: String,
}

type Titles = Vec<String>;

impl Recommendations {
    /// Reaches the provider at `url`.
    pub(crate) fn new(url: String) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, url })
    }

    /// Asks for a user's recommendations in the given style.
    pub(crate) async fn get(&self, style: Style, user: u32) -> Result<Titles, RecommendationError> {
        match style {
            Style::Plain => self.ask_plainly(user).await,
            Style::Loop => self.ask_in_a_loop(user).await,
            Style::Steadfast => self.recommendations(user).await,
        }
    }

    /// Recommends something, whatever the provider does: what it says now, or what it last said for
    /// this user, or what everybody buys.
    ///
    /// As there is always something to show, no page waits long for something better: hence the
    /// `cap`, and with a fallback above it the retry does not wait for an open breaker at all. That
    /// one is quick because this outage is short: left out, its settings are the calls of 60 s, 30 s
    /// and 5 m. It needs no name, as one client alone calls through it.
    #[fallback(stale = "5m", key = user, bestsellers)]
    #[deadline("400ms")]
    #[retry(max = 3, cap = "100ms", safe)]
    #[circuit_breaker(window = 20, open_for = "500ms", max_open_for = "2s")]
    #[deadline("150ms")]
    async fn recommendations(&self, user: u32) -> Result<Titles, RecommendationError> {
        self.ask_plainly(user).await
    }

    /// The loop found in most services: the same three attempts and time limit, a fixed pause.
    async fn ask_in_a_loop(&self, user: u32) -> Result<Titles, RecommendationError> {
        for _ in 1..3 {
            if let Ok(Ok(titles)) = timeout(ATTEMPT, self.ask_plainly(user)).await {
                return Ok(titles);
            }
            sleep(PAUSE).await;
        }
        timeout(ATTEMPT, self.ask_plainly(user)).await?
    }

    /// One request and no care taken: the body of all three.
    async fn ask_plainly(&self, user: u32) -> Result<Titles, RecommendationError> {
        let response = self.http.get(format!("{}/{user}", self.url)).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }
}

/// What everybody buys. A fallback takes what the function takes, whether or not it has a use for it.
fn bestsellers(_: &Recommendations, _user: u32) -> Titles {
    ["Dune", "Emma", "Ulysses"].map(str::to_owned).into()
}

/// What the breaker has counted, found as an operator's page would.
pub(crate) fn breaker() -> Option<Snapshot> {
    let mut breakers = steadfast::circuit_breakers().into_iter();
    let ours = breakers.find(|breaker| breaker.name().ends_with("::recommendations"))?;
    Some(ours.snapshot())
}

/// Why there are no recommendations.
#[derive(Debug, Fault, thiserror::Error)]
pub(crate) enum RecommendationError {
    #[error(transparent)]
    #[fault(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    #[fault(transparent)]
    Refused(#[from] steadfast::Error),
    #[error("the provider did not answer in time")]
    #[fault(ambiguous)]
    TimedOut(#[from] Elapsed),
}

/// The loop's time limit for one attempt.
const ATTEMPT: Duration = Duration::from_millis(150);

/// The loop's pause between attempts.
const PAUSE: Duration = Duration::from_millis(50);
