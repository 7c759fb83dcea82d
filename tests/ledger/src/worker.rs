//! A worker: calls what the driver says, and says what came of it.

use std::{
    io::{self, BufRead, stdin},
    panic,
    path::Path,
    time::Duration,
};

use serde_json::{Value, json};
use steadfast::{
    idempotent::Store,
    telemetry::{self, Event},
};
use tokio::{runtime::Builder, task_local};

use crate::{
    engine,
    jobs::{self, Failure, Job},
    ledger::Ledger,
    mutants::Mutant,
    points::{Blow, Point, Points, named},
    remote::Remote,
};

task_local! {
    /// What the call that runs here is for.
    static KEY: String;
}

/// Runs until the driver is gone.
pub(crate) fn run(
    folder: &Path,
    name: &str,
    mutant: Option<Mutant>,
    address: &str,
) -> io::Result<()> {
    let ledger = Ledger::of(folder, name);
    let points = Points::new(ledger.clone());
    // A blow's panic is no news.
    panic::set_hook(Box::new(|panic| {
        if panic.payload().downcast_ref() != Some(&"a blow") {
            eprintln!("{panic}");
        }
    }));
    telemetry::observe(move |event| {
        if let Event::EffectMayRepeat { .. } = event {
            let key = KEY.try_with(Clone::clone).expect("a claim is made where the caller is");
            ledger.tell("repeat", &key, json!({}));
        }
    });
    // The ledger is waited for without an await: that is what happens within one step of a body.
    let runtime = Builder::new_multi_thread().worker_threads(8).enable_all().build()?;
    // Before it has found the engine, which the driver may be about to start again.
    println!("{{}}");
    let way = runtime.block_on(engine::way(address, folder))?;
    jobs::keep_keys_in(Store::new(Remote::new(way, points.clone(), mutant)));
    for line in stdin().lock().lines() {
        let said: Value = serde_json::from_str(&line?)?;
        if let Some(stop) = said["goes_on"].as_u64() {
            points.go_on(stop);
            continue;
        }
        if said["calm"] == true {
            points.calm();
            continue;
        }
        let blow = said["blow"].as_str().and_then(|blow| named(&Blow::ALL, blow));
        let point = said["point"].as_str().and_then(|point| named(&Point::ALL, point));
        let job = Job {
            key: said["key"].as_str().unwrap_or_default().to_owned(),
            amount: said["amount"].as_u64().unwrap_or_default(),
            call: said["call"].as_u64().unwrap_or_default(),
            hold: Duration::from_millis(said["hold"].as_u64().unwrap_or_default()),
            points: points.clone(),
        };
        if let (Some(point), Some(blow)) = (point, blow) {
            points.plan(&job.key, point, blow);
        }
        runtime.spawn(call(job, said["last"] == true));
    }
    Ok(())
}

/// One call, from before it begins until what came of it is on disk.
async fn call(job: Job, is_last: bool) {
    let (key, amount, call, points) = (job.key.clone(), job.amount, job.call, job.points.clone());
    let ledger = points.ledger();
    ledger.tell("call", &key, json!({ "call": call, "amount": amount }));
    let leaves = points.caller(&key);
    let mut running = tokio::spawn(KEY.scope(key.clone(), async move {
        let leaving = leaves.notified();
        tokio::select! {
            outcome = job.run() => outcome,
            () = leaving => Err(Failure::Refused("Left".to_owned())),
        }
    }));
    let outcome = (&mut running).await;
    let (outcome, value) = match outcome {
        Ok(Ok(value)) => ("Ok".to_owned(), Some(value)),
        Ok(Err(failure)) => (failure.to_string(), None),
        Err(_) => ("Panicked".to_owned(), None),
    };
    let more = json!({ "call": call, "amount": amount, "outcome": outcome, "value": value, "last": is_last });
    ledger.tell("answer", &key, more);
    println!("{}", json!({ "answered": call, "key": key, "outcome": outcome }));
}
