//! A customer, who presses the button until there is a receipt.

use std::time::Duration;

use steadfast::idempotent::marked;
use tokio::time::sleep;

use super::till::Till;
use crate::{order::Order, payments::Style};

/// What a customer was told.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) order: u32,
    /// How often the button was pressed.
    pub(crate) calls: u32,
    /// How many of the answers were those of an earlier call.
    pub(crate) replays: u32,
    /// The charges of the receipts.
    pub(crate) charges: Vec<u32>,
}

/// Presses the button: one customer in ten twice at once, and whoever gets no receipt again.
pub(crate) async fn orders(till: &Till, style: Style, order: Order) -> Answered {
    let mut answered = Answered { order: order.id, calls: 0, replays: 0, charges: Vec::new() };
    if is_pressed_twice(order.id) {
        let (one, other) = tokio::join!(press(till, style, order), press(till, style, order));
        answered.add(one);
        answered.add(other);
    }
    while answered.charges.is_empty() && answered.calls < MOST_CALLS {
        if answered.calls > 0 {
            sleep(IMPATIENCE).await;
        }
        answered.add(press(till, style, order).await);
    }
    answered
}

/// One order in ten.
pub(crate) fn is_pressed_twice(order: u32) -> bool {
    order.is_multiple_of(10)
}

impl Answered {
    fn add(&mut self, (charge, replayed): (Option<u32>, bool)) {
        self.calls += 1;
        self.replays += u32::from(replayed);
        self.charges.extend(charge);
    }
}

async fn press(till: &Till, style: Style, order: Order) -> (Option<u32>, bool) {
    let (receipt, replayed) = marked(till.check_out(style, order)).await;
    (receipt.ok().map(|receipt| receipt.charge), replayed == Some(true))
}

const MOST_CALLS: u32 = 5;
const IMPATIENCE: Duration = Duration::from_millis(100);
