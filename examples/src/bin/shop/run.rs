//! A day at the shop, as three clients live through it.

use std::{error::Error, sync::Arc, time::Duration};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    figures::{Figures, Visit},
    order::Order,
    payments::{Payments, Style},
    provider::Provider,
    retries::Retries,
    scenario::Scenario,
};

/// What the clients lived through, in the order of the table's columns.
#[derive(Debug)]
pub(crate) struct Clients<F> {
    pub(crate) plain: F,
    pub(crate) by_hand: F,
    pub(crate) steadfast: F,
}

/// Sends the three clients through a scenario together, each to a provider of its own.
pub(crate) async fn side_by_side(
    scenario: &Scenario,
    orders: u32,
    retries: &Retries,
) -> Result<Clients<Figures>, Box<dyn Error>> {
    // Draws on standard error, and only if that is a terminal.
    let bars = MultiProgress::new();
    let bar = |client| bars.add(bar(scenario.name, client, orders));
    let (plain, by_hand, steadfast) = tokio::try_join!(
        place_orders(scenario, Style::Plain, orders, bar("plain")),
        place_orders(scenario, Style::Loop, orders, bar("loop")),
        place_orders(scenario, Style::Steadfast, orders, bar("steadfast")),
    )?;
    bars.clear()?;
    Ok(Clients { plain, by_hand, steadfast: steadfast.with_retries(retries.take()) })
}

async fn place_orders(
    scenario: &Scenario,
    style: Style,
    orders: u32,
    bar: ProgressBar,
) -> Result<Figures, Box<dyn Error>> {
    let provider = Provider::open(scenario.mood).await?;
    let payments = Arc::new(Payments::new(provider.url())?);
    let gate = Arc::new(Semaphore::new(scenario.pace.at_a_time()));
    let opened = Instant::now();
    let mut visits = JoinSet::new();
    for id in 0..orders {
        sleep_until(opened + scenario.pace.due(id, orders)).await;
        let permit = Arc::clone(&gate).acquire_owned().await?;
        let (payments, bar) = (Arc::clone(&payments), bar.clone());
        visits.spawn(async move {
            let visit = visit(&payments, style, Order::new(id)).await;
            bar.inc(1);
            drop(permit);
            visit
        });
    }
    let visits = visits.join_all().await;
    bar.finish();
    Ok(Figures::new(&visits, provider.books().await))
}

async fn visit(payments: &Payments, style: Style, order: Order) -> Visit {
    let came = Instant::now();
    let paid = payments.pay(style, order).await.is_ok();
    let took = came.elapsed();
    Visit { order: order.id, took, served: paid && took <= PATIENCE }
}

/// Shows how far a client has come.
pub(crate) fn bar(name: &'static str, client: &'static str, all: u32) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>10} {msg:9} {bar:40} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(all.into()).with_style(style).with_prefix(name).with_message(client)
}

/// How long a customer waits for an answer, right or wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
