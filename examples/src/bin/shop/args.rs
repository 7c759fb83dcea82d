//! The command line.

use crate::pages::Day;

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) struct Args {
    /// How many orders each client places in each scenario.
    pub(crate) orders: u32,
    /// How long the recommendations provider works and is dead.
    pub(crate) day: Day,
    /// Where two processes share their keys, if they do.
    pub(crate) keys: Option<String>,
    /// Whether the checkout is all that is shown.
    pub(crate) only_checkout: bool,
}

impl Args {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// One sentence about the first argument that can't be read.
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { orders: 1_000, day: Day::FULL, keys: None, only_checkout: false };
        while let Some(arg) = given.next() {
            match arg.as_str() {
                "--quick" => (args.orders, args.day) = (FEWEST_ORDERS, Day::QUICK),
                "--checkout" => args.only_checkout = true,
                "--keys" => {
                    let url = given.next().filter(|url| {
                        ["postgres://", "redis://"].iter().any(|scheme| url.starts_with(scheme))
                    });
                    args.keys = Some(url.ok_or("`--keys` needs the URL of a Redis or PostgreSQL")?);
                }
                "--orders" => {
                    let number = given.next().ok_or("`--orders` needs a number")?;
                    args.orders = number
                        .parse()
                        .map_err(|_| format!("`{number}` is not a number of orders"))?;
                }
                _ => return Err(format!("`{arg}` is not known")),
            }
        }
        if args.orders < FEWEST_ORDERS {
            return Err(format!("`--orders` takes at least {FEWEST_ORDERS}"));
        }
        Ok(args)
    }
}

/// Shown below a mistake.
pub(crate) const USAGE: &str =
    "usage: shop [--quick | --orders N] [--checkout] [--keys redis://.. | --keys postgres://..]";

/// A retry budget starts with ten retries in hand; among fewer orders than this they alone are a
/// load worth reporting, and the limit on a dead provider's load would say nothing.
const FEWEST_ORDERS: u32 = 600;
