//! The shop's side: one call to the provider, made in three ways.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use steadfast::{Fault, deadline, fault, retry, retry::RetryBudget};
use tokio::time::{error::Elapsed, sleep, timeout};

use crate::order::{IDEMPOTENCY_KEY, Order, Receipt};

/// How a client calls the provider.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Plain,
    Loop,
    Steadfast,
}

/// The shop's way to one payment provider.
#[derive(Debug)]
pub(crate) struct Payments {
    http: Client,
    url: String,
    budget: RetryBudget,
}

impl Payments {
    /// Reaches the provider at `url`.
    pub(crate) fn new(url: String) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, url, budget: RetryBudget::new() })
    }

    /// Pays for an order in the given style.
    pub(crate) async fn pay(&self, style: Style, order: Order) -> Result<Receipt, PaymentError> {
        match style {
            Style::Plain => self.charge_plainly(order).await,
            Style::Loop => self.charge_in_a_loop(order).await,
            Style::Steadfast => self.charge(order).await,
        }
    }

    /// Charges an order: an answer within two seconds, whatever the provider does.
    ///
    /// `safe` because the provider gets an idempotency key, so an attempt whose reply was lost
    /// may be repeated. The budget is this provider's, not the function's, as one process here
    /// meets several.
    #[deadline("2s")]
    #[retry(max = 4, budget = self.budget, safe)]
    #[deadline("500ms")]
    async fn charge(&self, order: Order) -> Result<Receipt, PaymentError> {
        self.charge_plainly(order).await
    }

    /// The loop found in most services: the same four attempts and time limit, a fixed pause.
    async fn charge_in_a_loop(&self, order: Order) -> Result<Receipt, PaymentError> {
        for _ in 1..4 {
            if let Ok(Ok(receipt)) = timeout(ATTEMPT, self.charge_plainly(order)).await {
                return Ok(receipt);
            }
            sleep(PAUSE).await;
        }
        timeout(ATTEMPT, self.charge_plainly(order)).await?
    }

    /// One request and no care taken: the body of all three.
    async fn charge_plainly(&self, order: Order) -> Result<Receipt, PaymentError> {
        let request = self.http.post(&self.url).header(IDEMPOTENCY_KEY, order.key()).json(&order);
        let response = request.send().await?;
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => Err(PaymentError::Closed),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(PaymentError::Throttled { retry_after: fault::retry_after(response.headers()) })
            }
            _ => Ok(response.error_for_status()?.json().await?),
        }
    }
}

/// Why an order could not be paid.
#[derive(Debug, Fault, thiserror::Error)]
pub(crate) enum PaymentError {
    /// This provider's 503 promises that nothing was charged.
    #[error("the provider takes no charges now")]
    #[fault(transient)]
    Closed,
    #[error(transparent)]
    #[fault(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    #[fault(transparent)]
    Refused(#[from] steadfast::Error),
    #[error("the provider asks for less")]
    #[fault(throttled = retry_after)]
    Throttled { retry_after: Option<Duration> },
    #[error("the provider did not answer in time")]
    #[fault(ambiguous)]
    TimedOut(#[from] Elapsed),
}

/// The loop's time limit for one attempt.
const ATTEMPT: Duration = Duration::from_millis(500);

/// The loop's pause between attempts.
const PAUSE: Duration = Duration::from_millis(100);
