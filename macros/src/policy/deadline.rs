//! `#[deadline]`: keys, checks, expansion.

use std::time::Duration;

use quote::{quote, quote_spanned};

use super::{Code, Context};
use crate::{
    args::{Arg, Args, Key, Mistakes},
    tokens::reported_at,
    value::{self, Setting},
};

const RESERVE: Key = Key {
    name: "reserve",
    example: "reserve = \"50ms\"",
    elsewhere: &["margin", "keep", "slack", "buffer"],
};
const KEYS: &[Key] = &[RESERVE];
/// What other libraries call the limit.
const LIMITS: &[&str] = &["after", "duration", "limit", "time", "timeout", "total", "within"];

pub(crate) struct Deadline {
    /// Whether nothing is written in its parentheses.
    pub(crate) is_bare: bool,
    pub(crate) limit: Option<Setting<Duration>>,
    reserve: Option<(Arg, Setting<Duration>)>,
    /// What a deadline above keeps back for the fallback between the two, which this one has to end
    /// earlier by.
    early: Option<Early>,
}

/// What is kept back for a fallback.
enum Early {
    /// A tick of the timer: enough for one that is ready at once.
    ATick,
    Reserved(Setting<Duration>),
}

impl Early {
    fn reserved(&self) -> Option<&Setting<Duration>> {
        match self {
            Self::ATick => None,
            Self::Reserved(reserve) => Some(reserve),
        }
    }
}

impl Deadline {
    pub(crate) fn read(mut args: Args, mistakes: &mut Mistakes) -> Self {
        let is_bare = args.is_empty();
        if let Some(arg) = args.take_equals(LIMITS) {
            mistakes.at(
                &arg.key(),
                "`deadline` takes its limit without a key: write it as in `#[deadline(\"2s\")]`",
            );
        }
        let limit = args.take_positional(KEYS, mistakes);
        let limit = limit.and_then(|limit| value::duration(&limit, mistakes));
        let reserve = args.take(&RESERVE, mistakes).and_then(|arg| {
            let reserve = value::duration(arg.value(&RESERVE, mistakes)?, mistakes)?;
            Some((arg, reserve))
        });
        args.finish(KEYS, mistakes);

        let deadline = Self { is_bare, limit, reserve, early: None };
        deadline.check(mistakes);
        deadline
    }

    fn check(&self, mistakes: &mut Mistakes) {
        let limit = self.limit.as_ref();
        let known_limit = limit.and_then(Setting::known);
        if let (Some(limit), Some(Duration::ZERO)) = (limit, known_limit) {
            mistakes.at(limit.expr(), "a deadline of zero refuses every call: give it time");
        }
        let Some((_, reserve)) = &self.reserve else { return };
        match (reserve.known(), known_limit) {
            (Some(Duration::ZERO), _) => {
                mistakes.at(reserve.expr(), "a `reserve` of zero does nothing: leave it out");
            }
            (Some(reserved), Some(limit)) if reserved >= limit => mistakes.at(
                reserve.expr(),
                format_args!(
                    "`reserve` leaves nothing of the deadline: it must be under {limit:?}"
                ),
            ),
            _ => {}
        }
    }

    /// Lets the fallback between this deadline and one below have what this one keeps back.
    pub(crate) fn leave_time_to_fall_back(&mut self, below: &mut Self) {
        below.early = Some(match self.reserve.take() {
            Some((_, reserve)) => Early::Reserved(reserve),
            None => Early::ATick,
        });
    }

    /// One that only obeys what it inherits.
    pub(crate) fn inherited() -> Self {
        Self { is_bare: true, limit: None, reserve: None, early: None }
    }

    /// Input:  `future`, with `#[deadline("2s")]`
    /// Output: `within(|| &DEADLINE, future, |refusal| refused(&SITE, refusal))`
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        let rt = cx.rt.clone();
        let limit = self.limit.as_ref().map(|limit| {
            let value = limit.duration_tokens(&rt);
            quote_spanned!(reported_at(limit.expr())=> .limit(#value))
        });
        let reserve = self.reserve.as_ref().map(|(arg, reserve)| {
            let (key, value) = (arg.key(), reserve.duration_tokens(&rt));
            quote!(.#key(#value))
        });
        let early = self.early.as_ref().map(|early| {
            let early = match early {
                Early::ATick => quote!(#rt::Duration::from_millis(1)),
                Early::Reserved(reserve) => reserve.duration_tokens(&rt),
            };
            quote!(.early(#early))
        });
        let policy = quote!(#rt::Deadline::new() #limit #reserve #early);
        let settings = [
            self.limit.as_ref(),
            self.reserve.as_ref().map(|(_, reserve)| reserve),
            self.early.as_ref().and_then(Early::reserved),
        ];
        let constant = settings.into_iter().flatten().all(|setting| setting.known().is_some());
        let policy = cx.declare("Deadline", &policy, constant);

        let future = inner.into_future(cx);
        let refuse = cx.refuse();
        Code::Wrapped(quote!(#rt::within(|| &#policy, #future, #refuse)))
    }
}
