//! The shop's side of the checkout: one call to the provider, made in three ways.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use steadfast::{
    deadline, idempotent,
    idempotent::{Store, current},
    retry,
    retry::RetryBudget,
};
use tokio::time::{sleep, timeout};

use crate::{
    order::{IDEMPOTENCY_KEY, Order, Receipt},
    payments::{PaymentError, Style},
};

/// The shop's way to one provider, and where it keeps its keys.
#[derive(Debug)]
pub(crate) struct Till {
    http: Client,
    url: String,
    keys: Store,
    budget: RetryBudget,
}

impl Till {
    /// Reaches the provider at `url`.
    pub(crate) fn open(url: String, keys: Store) -> Result<Self, reqwest::Error> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, url, keys, budget: RetryBudget::new() })
    }

    /// Pays for an order in the given style.
    pub(crate) async fn check_out(
        &self,
        style: Style,
        order: Order,
    ) -> Result<Receipt, PaymentError> {
        match style {
            Style::Plain => self.charge(order, None).await,
            Style::Loop => self.charge_in_a_loop(order).await,
            Style::Steadfast => self.charge_once(order).await,
        }
    }

    /// Charges an order once, however often it is called, and by whom.
    ///
    /// The lease is short, so that an owner whose process was killed holds nobody up for long.
    #[idempotent(
        key = order.id, tenant = self.url, fingerprint = order.cents, scope = "Till::charge_once",
        store = self.keys, lease = "2s", wait = "5s"
    )]
    #[retry(max = 4, budget = self.budget, safe)]
    #[deadline("500ms")]
    async fn charge_once(&self, order: Order) -> Result<Receipt, PaymentError> {
        self.charge(order, Some(current().downstream_key().to_string())).await
    }

    /// The loop found in most services, which takes a lost reply for a charge that failed.
    async fn charge_in_a_loop(&self, order: Order) -> Result<Receipt, PaymentError> {
        for _ in 1..4 {
            if let Ok(Ok(receipt)) = timeout(ATTEMPT, self.charge(order, None)).await {
                return Ok(receipt);
            }
            sleep(PAUSE).await;
        }
        timeout(ATTEMPT, self.charge(order, None)).await?
    }

    /// One request.
    async fn charge(&self, order: Order, key: Option<String>) -> Result<Receipt, PaymentError> {
        let mut request = self.http.post(&self.url).json(&order);
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let response = request.send().await?;
        match response.status() {
            StatusCode::SERVICE_UNAVAILABLE => Err(PaymentError::Closed),
            _ => Ok(response.error_for_status()?.json().await?),
        }
    }
}

/// The loop's time limit for one attempt.
const ATTEMPT: Duration = Duration::from_millis(500);

/// The loop's pause between attempts.
const PAUSE: Duration = Duration::from_millis(100);
