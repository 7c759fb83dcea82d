//! `#[deadline]`: keys, checks, expansion.

use std::time::Duration;

use quote::{quote, quote_spanned};

use super::{Code, Context};
use crate::{
    args::{Arg, Args, Key, Mistakes},
    tokens::{local, placed_at, reported_at},
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

        let deadline = Self { is_bare, limit, reserve };
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

    /// Input:  `future`, with `#[deadline("2s")]`
    /// Output: `pin!(within(|| &DEADLINE, future, |refusal| refused(&SITE, refusal))).await`
    ///
    /// Pinned where it stands, since an awaited future is moved once more.
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
        let policy = quote!(#rt::Deadline::new() #limit #reserve);
        let settings = [self.limit.as_ref(), self.reserve.as_ref().map(|(_, reserve)| reserve)];
        let constant = settings.into_iter().flatten().all(|setting| setting.known().is_some());
        let policy = cx.declare("Deadline", &policy, constant);

        let future = inner.into_future(cx);
        // An error type that cannot carry the refusal is reported at the return type, once.
        let outcome = cx.func.outcome();
        let refused = placed_at(&outcome, &quote!(#rt::refused));
        let refusal = local("__steadfast_refusal");
        Code::Statements(quote! {
            #rt::pin!(#rt::within(
                || &#policy,
                #future,
                |#refusal| #refused(&__STEADFAST_SITE, #refusal),
            ))
            .await
        })
    }
}
