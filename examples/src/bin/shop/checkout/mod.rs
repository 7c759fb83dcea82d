//! The checkout: customers who press the button again when they get no answer, or twice at once.
//!
//! The provider charges, and loses some of its replies. It takes an idempotency key, which only the
//! annotated client sends, as most services send none.

mod customer;
mod figures;
pub(crate) mod report;
mod till;
pub(crate) mod worker;

pub(crate) use self::figures::Figures;

use std::{error::Error, sync::Arc};

use steadfast::idempotent::{MemoryStore, Store};
use tokio::{sync::Semaphore, task::JoinSet};

use self::{
    customer::{Answered, is_pressed_twice},
    till::Till,
};
use crate::{
    order::Order,
    payments::Style,
    provider::{Mood, Provider},
    run::Clients,
};

/// Checks the orders out with each client, the annotated one with its keys in memory.
pub(crate) async fn in_memory(orders: u32) -> Result<Clients<Figures>, Box<dyn Error>> {
    let check_out = async |style| {
        let provider = Provider::open(Mood::Forgetful).await?;
        let till = Till::open(provider.url(), Store::new(MemoryStore::new()))?;
        let answered = serve(till, style, (0..orders).map(Order::new), |_| {}).await?;
        Ok::<_, Box<dyn Error>>(Figures::new(&answered, provider.books().await))
    };
    let (plain, by_hand, steadfast) = tokio::try_join!(
        check_out(Style::Plain),
        check_out(Style::Loop),
        check_out(Style::Steadfast),
    )?;
    Ok(Clients { plain, by_hand, steadfast })
}

/// Checks the orders out with each client in a process of its own, which is killed when half of them
/// are through and started again with those that are not. The annotated one keeps its keys in a file.
pub(crate) async fn with_a_crash(orders: u32) -> Result<Clients<Figures>, Box<dyn Error>> {
    let check_out = async |style| {
        let provider = Provider::open(Mood::Forgetful).await?;
        let folder = tempfile::tempdir()?;
        let keys = folder.path().join("keys.redb").display().to_string();
        let answered =
            worker::run_and_crash(style, &provider.url(), &keys, (0..orders).collect()).await?;
        Ok::<_, Box<dyn Error>>(Figures::new(&answered, provider.books().await))
    };
    let (plain, by_hand, steadfast) = tokio::try_join!(
        check_out(Style::Plain),
        check_out(Style::Loop),
        check_out(Style::Steadfast),
    )?;
    Ok(Clients { plain, by_hand, steadfast })
}

/// Checks the orders out with each client in two processes that share them, one of which is killed when
/// half of its own are through. The annotated ones keep their keys in one server.
pub(crate) async fn in_two_processes(
    orders: u32,
    keys: &str,
) -> Result<Clients<Figures>, Box<dyn Error>> {
    let check_out = async |style| {
        let provider = Provider::open(Mood::Forgetful).await?;
        let share = |of: u32| (0..orders).filter(move |id| id % 2 == of || is_pressed_twice(*id));
        let url = &provider.url();
        let (mut answered, others) = tokio::try_join!(
            worker::run_and_crash(style, url, keys, share(0).collect()),
            worker::run(style, url, keys, share(1).collect(), usize::MAX),
        )?;
        answered.extend(others);
        Ok::<_, Box<dyn Error>>(Figures::new(&answered, provider.books().await))
    };
    let (plain, by_hand, steadfast) = tokio::try_join!(
        check_out(Style::Plain),
        check_out(Style::Loop),
        check_out(Style::Steadfast),
    )?;
    Ok(Clients { plain, by_hand, steadfast })
}

/// Serves customers, so many at a time, and notes each who has been.
async fn serve(
    till: Till,
    style: Style,
    orders: impl IntoIterator<Item = Order>,
    mut note: impl FnMut(&Answered),
) -> Result<Vec<Answered>, Box<dyn Error>> {
    let till = Arc::new(till);
    let gate = Arc::new(Semaphore::new(CUSTOMERS));
    let (mut customers, mut answered) = (JoinSet::new(), Vec::new());
    for order in orders {
        let permit = Arc::clone(&gate).acquire_owned().await?;
        let till = Arc::clone(&till);
        customers.spawn(async move {
            let answered = customer::orders(&till, style, order).await;
            drop(permit);
            answered
        });
        while let Some(been) = customers.try_join_next() {
            answered.push(been?);
            answered.last().into_iter().for_each(&mut note);
        }
    }
    while let Some(been) = customers.join_next().await {
        answered.push(been?);
        answered.last().into_iter().for_each(&mut note);
    }
    Ok(answered)
}

/// How many are at the checkout together.
const CUSTOMERS: usize = 50;
