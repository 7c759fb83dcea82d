//! Recommendations on the shop's pages, whose provider dies for a while.

mod day;
mod figures;
mod recommendations;
pub(crate) mod report;
mod told;

pub(crate) use self::{day::Day, figures::Figures};

use std::{error::Error, sync::Arc};

use indicatif::{MultiProgress, ProgressBar};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::{figures::Page, recommendations::Recommendations};
use crate::{
    payments::Style,
    provider::Recommender,
    run::{Clients, bar},
};

/// Sends the three clients through the day together, each to a provider of its own.
pub(crate) async fn side_by_side(day: Day) -> Result<Clients<Figures>, Box<dyn Error>> {
    told::observe();
    let bars = MultiProgress::new();
    let bar = |client| bars.add(bar("pages", client, day.pages()));
    let (plain, by_hand, steadfast) = tokio::try_join!(
        show_pages(day, Style::Plain, bar("plain")),
        show_pages(day, Style::Loop, bar("loop")),
        show_pages(day, Style::Steadfast, bar("steadfast")),
    )?;
    bars.clear()?;
    let breaker = recommendations::breaker();
    Ok(Clients { plain, by_hand, steadfast: Figures { breaker, ..steadfast } })
}

/// Customers come whether or not the pages before are done, as they do.
async fn show_pages(day: Day, style: Style, bar: ProgressBar) -> Result<Figures, Box<dyn Error>> {
    let opened = Instant::now();
    let outage = day.outage(opened);
    let provider = Recommender::open(outage.clone()).await?;
    let recommendations = Arc::new(Recommendations::new(provider.url())?);
    let mut pages = JoinSet::new();
    for page in 0..day.pages() {
        sleep_until(opened + Day::due(page)).await;
        let (recommendations, bar) = (Arc::clone(&recommendations), bar.clone());
        pages.spawn(async move {
            let asked = Instant::now();
            let told = told::of(recommendations.get(style, Day::user(page))).await;
            bar.inc(1);
            Page::new(asked, told)
        });
    }
    let pages = pages.join_all().await;
    bar.finish();
    Ok(Figures::new(&pages, &outage, provider.requests_while_dead()))
}
