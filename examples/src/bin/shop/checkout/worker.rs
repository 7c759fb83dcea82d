//! The checkout in a process of its own, which is killed and started again.

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    io::{self, Write},
    process::Stdio,
};

use steadfast::idempotent::{MemoryStore, Store};
use steadfast_postgres::PostgresStore;
use steadfast_redb::RedbStore;
use steadfast_redis::RedisStore;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

use super::{customer::Answered, serve, till::Till};
use crate::{order::Order, payments::Style};

/// What the command line of such a process asks for.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    style: Style,
    url: String,
    /// Where the keys are: the URL of a server, or a file.
    keys: String,
    /// Which orders to check out.
    orders: BTreeSet<u32>,
}

impl Work {
    /// Reads what [`arguments`](Self::arguments) wrote, after `--check-out`.
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Option<Self> {
        let style = match given.next()?.as_str() {
            "plain" => Style::Plain,
            "loop" => Style::Loop,
            "steadfast" => Style::Steadfast,
            _ => return None,
        };
        let (url, keys) = (given.next()?, given.next()?);
        let orders = given.map(|order| order.parse().ok()).collect::<Option<_>>()?;
        Some(Self { style, url, keys, orders })
    }

    fn arguments(&self) -> Vec<String> {
        let style = match self.style {
            Style::Plain => "plain",
            Style::Loop => "loop",
            Style::Steadfast => "steadfast",
        };
        let before =
            ["--check-out".to_owned(), style.to_owned(), self.url.clone(), self.keys.clone()];
        before.into_iter().chain(self.orders.iter().map(u32::to_string)).collect()
    }
}

/// The process itself: tells of each customer on a line of its own, as soon as they are through.
pub(crate) async fn check_out(work: Work) -> Result<(), Box<dyn Error>> {
    let keys = match work.style {
        Style::Steadfast => open_keys(&work.keys).await?,
        Style::Loop | Style::Plain => Store::new(MemoryStore::new()),
    };
    let till = Till::open(work.url, keys)?;
    let mut out = io::stdout();
    let orders = work.orders.into_iter().map(Order::new);
    serve(till, work.style, orders, |Answered { order, calls, replays, charges }| {
        let charges: Vec<_> = charges.iter().map(u32::to_string).collect();
        // A parent that is gone wants to know no more.
        let _ = writeln!(out, "{order} {calls} {replays} {}", charges.join(" "));
        let _ = out.flush();
    })
    .await?;
    Ok(())
}

async fn open_keys(keys: &str) -> Result<Store, Box<dyn Error>> {
    Ok(match keys.split_once("://").map(|(scheme, _)| scheme) {
        Some("redis") => Store::new(RedisStore::connect(keys).await?),
        Some("postgres") => {
            Store::new(PostgresStore::options().create_schema().connect(keys).await?)
        }
        _ => Store::new(RedbStore::open(keys)?),
    })
}

/// Runs such a process, kills it when half of the orders are through, and runs it again with the others,
/// as a queue would that was told of no more.
pub(crate) async fn run_and_crash(
    style: Style,
    url: &str,
    keys: &str,
    mut orders: BTreeSet<u32>,
) -> Result<Vec<Answered>, Box<dyn Error>> {
    let half = orders.len() / 2;
    let mut answered = run(style, url, keys, orders.clone(), half).await?;
    for answered in &answered {
        orders.remove(&answered.order);
    }
    answered.extend(run(style, url, keys, orders, usize::MAX).await?);
    Ok(answered)
}

/// Runs such a process until so many orders are through, and kills it then.
pub(crate) async fn run(
    style: Style,
    url: &str,
    keys: &str,
    orders: BTreeSet<u32>,
    most: usize,
) -> Result<Vec<Answered>, Box<dyn Error>> {
    let work = Work { style, url: url.to_owned(), keys: keys.to_owned(), orders };
    let mut process = Command::new(env::current_exe()?)
        .args(work.arguments())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = process.stdout.take().ok_or("the process has no output")?;
    let mut lines = BufReader::new(out).lines();
    let mut answered = Vec::new();
    while answered.len() < most {
        let Some(line) = lines.next_line().await? else { break };
        answered.push(parse(&line).ok_or("the process speaks another language")?);
    }
    if answered.len() == most {
        process.kill().await?;
    } else if !process.wait().await?.success() {
        return Err("the process has failed".into());
    }
    Ok(answered)
}

fn parse(line: &str) -> Option<Answered> {
    let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
    let (order, calls, replays) = (numbers.next()??, numbers.next()??, numbers.next()??);
    Some(Answered { order, calls, replays, charges: numbers.collect::<Option<_>>()? })
}
