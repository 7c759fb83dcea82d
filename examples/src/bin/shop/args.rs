//! The command line.

use crate::pages::Day;

/// What the command line asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Args {
    /// How many orders each client places in each scenario.
    pub(crate) orders: u32,
    /// How long the recommendations provider works and is dead.
    pub(crate) day: Day,
}

impl Args {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// One sentence about the first argument that can't be read.
    pub(crate) fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { orders: 1_000, day: Day::FULL };
        while let Some(arg) = given.next() {
            match arg.as_str() {
                "--quick" => args = Self { orders: FEWEST_ORDERS, day: Day::QUICK },
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
pub(crate) const USAGE: &str = "usage: shop [--quick | --orders N]";

/// A retry budget starts with ten retries in hand; among fewer orders than this they alone are a
/// load worth reporting, and the limit on a dead provider's load would say nothing.
const FEWEST_ORDERS: u32 = 600;
