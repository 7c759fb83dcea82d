//! `#[circuit_breaker]`: keys, checks, expansion.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit};

use self::keys::{
    CONSECUTIVE, FAILURE_RATE, KEYS, MAX_KEYS, MAX_OPEN_FOR, MIN_CALLS, OPEN_FOR, PER, PROBES,
    SLOW_AFTER, SLOW_RATE, WHEN, WINDOW, WITH,
};
use super::{Code, Context};
use crate::{
    args::{Arg, Args, Key, Mistakes},
    func::Func,
    tokens::{local, placed_at, reported_at},
    value::{self, Place, Setting, borrowed, callable, expression, is_constant, keyed, place},
};

mod keys;

const BREAKER: Place = Place {
    key: &WITH,
    literal: "`with` takes a `CircuitBreaker` by name: `static STRIPE: CircuitBreaker = \
              CircuitBreaker::new(\"stripe\");` and `with = STRIPE`",
    made: "a breaker made for the call has seen no other: make it a `static` and name that",
};

const DEFAULT_OPEN_FOR: Duration = Duration::from_secs(30);
const DEFAULT_MAX_OPEN_FOR: Duration = Duration::from_secs(300);
const SHORTEST_WINDOW: Duration = Duration::from_millis(10);
const MOST_CALLS: u32 = 10_000;

type Given<T> = Option<(Arg, Setting<T>)>;

pub(crate) struct CircuitBreaker {
    failure_rate: Given<f64>,
    consecutive: Given<u32>,
    window: Given<Window>,
    min_calls: Given<u32>,
    open_for: Given<Duration>,
    max_open_for: Given<Duration>,
    probes: Given<u32>,
    slow_after: Given<Duration>,
    slow_rate: Given<f64>,
    max_keys: Given<u32>,
    per: Option<Expr>,
    when: Option<Expr>,
    with: Option<Expr>,
}

#[derive(Clone, Copy)]
enum Window {
    Calls(u32),
    Time(Duration),
}

impl CircuitBreaker {
    pub(crate) fn read(mut args: Args, mistakes: &mut Mistakes) -> Self {
        let breaker = Self {
            failure_rate: rate(&mut args, &FAILURE_RATE, mistakes),
            consecutive: count(&mut args, &CONSECUTIVE, u32::MAX, mistakes),
            window: keyed(&mut args, &WINDOW, mistakes, window),
            min_calls: count(&mut args, &MIN_CALLS, u32::MAX, mistakes),
            open_for: keyed(&mut args, &OPEN_FOR, mistakes, value::duration),
            max_open_for: keyed(&mut args, &MAX_OPEN_FOR, mistakes, value::duration),
            probes: count(&mut args, &PROBES, u8::MAX.into(), mistakes),
            slow_after: keyed(&mut args, &SLOW_AFTER, mistakes, value::duration),
            slow_rate: rate(&mut args, &SLOW_RATE, mistakes),
            max_keys: count(&mut args, &MAX_KEYS, u32::MAX, mistakes),
            per: expression(&mut args, &PER, mistakes),
            when: callable(&mut args, &WHEN, mistakes),
            with: place(&mut args, &BREAKER, mistakes),
        };
        if let Some(arg) = args.take_equals(&["timeout"]) {
            mistakes.at(
                &arg.key(),
                "`circuit_breaker` limits no time: write `#[deadline(\"5s\")]` below it for each call; \
                 how long it refuses is `open_for`",
            );
        }
        if let Some(arg) = args.take_equals(&["fallback"]) {
            mistakes.at(
                &arg.key(),
                "`fallback` is an attribute of its own: write `#[fallback(..)]` above this one",
            );
        }
        args.finish(KEYS, mistakes);
        breaker.check(mistakes);
        breaker
    }

    fn check(&self, mistakes: &mut Mistakes) {
        if self.with.is_some() {
            for (arg, _) in self.settings(&TokenStream::new()) {
                let Some(key) = arg.key() else { continue };
                let message =
                    format!("`{key}` belongs to the breaker that `with` names: set it there");
                mistakes.at(key, message);
            }
            return;
        }
        if let (Some((arg, _)), None) = (&self.max_keys, &self.per) {
            mistakes
                .at(&arg.key(), "`max_keys` bounds the keys of `per`: name one, or leave it out");
        }
        if let Some(key) = self.per.as_ref().filter(|key| is_constant(key)) {
            mistakes.at(
                key,
                "`per` takes what tells the calls apart, such as an argument: `per = host`",
            );
        }
        self.check_what_opens_it(mistakes);
        self.check_open_times(mistakes);
    }

    fn check_what_opens_it(&self, mistakes: &mut Mistakes) {
        if let (Some((arg, _)), Some(_)) = (&self.consecutive, &self.failure_rate) {
            mistakes.at(
                &arg.key(),
                "`consecutive` counts failures in a row instead of taking their share: leave it or \
                 `failure_rate` out",
            );
        }
        if let (Some((arg, _)), None) = (&self.slow_rate, &self.slow_after) {
            mistakes.at(
                &arg.key(),
                "`slow_rate` needs to know what is slow: add `slow_after = \"2s\"`",
            );
        }
        if let Some((_, slow_after)) = &self.slow_after {
            if slow_after.known() == Some(Duration::ZERO) {
                mistakes.at(slow_after.expr(), "with a `slow_after` of zero every call is slow");
            }
        }
        // A slow rate is still taken over the window.
        if self.consecutive.is_some() && self.failure_rate.is_none() && self.slow_after.is_none() {
            let unused =
                [self.window.as_ref().and_then(key), self.min_calls.as_ref().and_then(key)];
            for key in unused.into_iter().flatten() {
                let message = format!(
                    "`{key}` belongs to `failure_rate`: `consecutive` looks at the last calls alone"
                );
                mistakes.at(&key, message);
            }
        }
        if let (Some((_, window)), Some((_, min_calls))) = (&self.window, &self.min_calls) {
            if let (Some(Window::Calls(calls)), Some(min)) = (window.known(), min_calls.known()) {
                if min > calls {
                    let message = format!(
                        "the window holds {calls} calls, so there are never {min}: it would never open"
                    );
                    mistakes.at(min_calls.expr(), message);
                }
            }
        }
    }

    fn check_open_times(&self, mistakes: &mut Mistakes) {
        let known = |given: &Given<Duration>| given.as_ref().and_then(|(_, time)| time.known());
        let (open_for, max) = (known(&self.open_for), known(&self.max_open_for));
        match (&self.open_for, &self.max_open_for) {
            (Some((_, time)), _) if open_for == Some(Duration::ZERO) => mistakes.at(
                time.expr(),
                "with an `open_for` of zero it would never refuse a call: give it time",
            ),
            (given, Some((_, time)))
                if (given.is_none() || open_for.is_some())
                    && max.is_some_and(|max| max < open_for.unwrap_or(DEFAULT_OPEN_FOR)) =>
            {
                let whose = if open_for.is_some() { "" } else { "the default " };
                let open_for = open_for.unwrap_or(DEFAULT_OPEN_FOR);
                let message = format!(
                    "`max_open_for` is below {whose}`open_for`, which is {open_for:?}: raise it, or \
                     set `open_for`"
                );
                mistakes.at(time.expr(), message);
            }
            (Some((_, time)), None) if open_for > Some(DEFAULT_MAX_OPEN_FOR) => {
                let message = format!(
                    "`open_for` is above the default `max_open_for` of {DEFAULT_MAX_OPEN_FOR:?}: set \
                     that too"
                );
                mistakes.at(time.expr(), message);
            }
            _ => {}
        }
    }

    /// Where its breaker is found, in a place that several functions may share.
    pub(crate) fn is_shared(&self) -> bool {
        self.with.is_some() || self.per.is_some()
    }

    /// Input:  `future`, with `#[circuit_breaker(failure_rate = 0.3)]`
    /// Output:
    /// ```text
    /// static BREAKER: CircuitBreaker = CircuitBreaker::new(SITE.function()).failure_rate(0.3f64);
    ///
    /// guarded(
    ///     gate(&BREAKER),
    ///     future,
    ///     |outcome| judged(&SITE, outcome, None, by_fault),
    ///     |refusal| refused(&SITE, refusal),
    /// )
    /// ```
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        let rt = cx.rt.clone();
        let gate = self.gate(cx);
        let future = inner.into_future(cx);
        let (judged_at, when) = cx.when(self.when.as_ref());
        let judged = placed_at(&judged_at, &quote!(#rt::judged));
        let outcome = local("__steadfast_outcome");
        let seen = placed_at(&judged_at, &quote!(#outcome));
        let (refuse, refusals) = (cx.refuse(), cx.refusals());
        Code::Wrapped(quote! {
            #rt::guarded(
                #gate,
                #future,
                |#outcome| #judged(&__STEADFAST_SITE, #seen, #refusals, #when),
                #refuse,
            )
        })
    }

    /// What the calls go through, and, for `retry`, whose budget they share.
    ///
    /// Input:  nothing, `with = STRIPE`, `with = self.breaker`, `per = host`
    /// Output: `gate(&BREAKER)`, `gate(breaker)` with a `let`, or `gate` with a `let`
    fn gate(&self, cx: &mut Context<'_>) -> TokenStream {
        let rt = cx.rt.clone();
        let (breaker, declaration) = self.breaker(&rt, cx.func);
        let gate = match &self.per {
            None => quote!(#rt::gate(#breaker)),
            Some(key) => {
                let (gate_per, key) = (placed_at(key, &quote!(#rt::gate_per)), borrowed(key));
                cx.declare_first(quote! {
                    #[allow(clippy::needless_borrows_for_generic_args)]
                    let __steadfast_gate = #gate_per(#breaker, #key);
                });
                quote!(__steadfast_gate)
            }
        };
        cx.declare_first(declaration);
        cx.gate = Some((gate.clone(), self.is_shared()));
        gate
    }

    /// The breaker, and its declaration.
    ///
    /// It stands at the top, since it may borrow from what the body's block takes; where the body may
    /// take even that, it is a handle of its own, for some nanoseconds more.
    ///
    /// Input:  nothing, `with = STRIPE`, `with = self.breaker` under `&mut self`
    /// Output: `static BREAKER: CircuitBreaker = ..`, `let breaker = lasting(&STRIPE)`,
    ///         `let breaker = &handle(lasting(&self.breaker))`
    fn breaker(&self, rt: &TokenStream, func: &Func) -> (TokenStream, TokenStream) {
        let Some(place) = &self.with else {
            let settings = self.settings(rt).into_iter().map(|(arg, value)| {
                let key = arg.key();
                quote!(.#key(#value))
            });
            let declaration = quote! {
                static __STEADFAST_BREAKER: #rt::CircuitBreaker =
                    #rt::CircuitBreaker::new(__STEADFAST_SITE.function()) #(#settings)*;
            };
            return (quote!(&__STEADFAST_BREAKER), declaration);
        };
        // A call, in which a `const` or a value that is returned does not outlive the statement: each
        // use of one is a breaker of its own, which would never open.
        let (lasting, reference) = (placed_at(place, &quote!(#rt::lasting)), borrowed(place));
        let declaration = if func.arguments().are_claimed_by(place) {
            quote!(let __steadfast_breaker = &#rt::handle(#lasting(#reference));)
        } else {
            quote!(let __steadfast_breaker = #lasting(#reference);)
        };
        (quote!(__steadfast_breaker), declaration)
    }

    /// Each setting that is written, with its value.
    fn settings(&self, rt: &TokenStream) -> Vec<(&Arg, TokenStream)> {
        let rates = [&self.failure_rate, &self.slow_rate].into_iter().flatten();
        let counts = [&self.consecutive, &self.min_calls, &self.probes, &self.max_keys];
        let times = [&self.open_for, &self.max_open_for, &self.slow_after].into_iter().flatten();
        let window = self.window.iter().map(|(arg, window)| {
            let span = reported_at(window.expr());
            let value = match window.known() {
                Some(Window::Calls(calls)) => quote_spanned!(span=> #rt::Window::Calls(#calls)),
                Some(Window::Time(time)) => {
                    let time = Setting::Known(time, window.expr().clone()).duration_tokens(rt);
                    quote_spanned!(span=> #rt::Window::Time(#time))
                }
                None => window.expr().to_token_stream(),
            };
            (arg, value)
        });
        rates
            .map(|(arg, rate)| (arg, rate.number_tokens()))
            .chain(window)
            .chain(counts.into_iter().flatten().map(|(arg, n)| (arg, n.expr().to_token_stream())))
            .chain(times.map(|(arg, time)| (arg, time.duration_tokens(rt))))
            .collect()
    }
}

fn rate(args: &mut Args, key: &Key, mistakes: &mut Mistakes) -> Given<f64> {
    let (arg, rate) = keyed(args, key, mistakes, |expr, m| value::number(key, expr, m))?;
    let name = key.name;
    match rate.known() {
        Some(known) if known <= 0.0 => {
            let message = format!(
                "`{name}` is a share of the calls, above 0 and up to 1: with {known} it would open \
                 at none"
            );
            mistakes.at(rate.expr(), message);
        }
        Some(known) if known > 1.0 => {
            let hint = if (5.0..=100.0).contains(&known) { known / 100.0 } else { 0.5 };
            let message = format!(
                "`{name}` is a share of the calls, above 0 and up to 1: did you mean `{hint}`?"
            );
            mistakes.at(rate.expr(), message);
        }
        _ => return Some((arg, rate)),
    }
    None
}

fn count(args: &mut Args, key: &Key, most: u32, mistakes: &mut Mistakes) -> Given<u32> {
    let (arg, count) = keyed(args, key, mistakes, |expr, m| value::whole_number(key, expr, m))?;
    let name = key.name;
    match count.known() {
        Some(0) => mistakes.at(count.expr(), format_args!("`{name}` cannot be 0: use 1 or more")),
        Some(known) if known > most => {
            mistakes.at(count.expr(), format_args!("`{name}` cannot be above {most}"));
        }
        _ => return Some((arg, count)),
    }
    None
}

/// Reads `"60s"`, `60s`, `100`, or an expression of type `Window`.
fn window(expr: &Expr, mistakes: &mut Mistakes) -> Option<Setting<Window>> {
    let is_count = |lit: &ExprLit| matches!(&lit.lit, Lit::Int(lit) if lit.suffix().is_empty());
    if let Expr::Lit(lit) = expr {
        if is_count(lit) {
            let calls = value::whole_number(&WINDOW, expr, mistakes)?.known()?;
            if (1..=MOST_CALLS).contains(&calls) {
                return Some(Setting::Known(Window::Calls(calls), expr.clone()));
            }
            let message = format!(
                "a window of calls holds 1 to {MOST_CALLS} of them: for a time, write `\"60s\"`"
            );
            mistakes.at(expr, message);
            return None;
        }
    }
    match value::duration(expr, mistakes)? {
        Setting::Known(time, _) if time < SHORTEST_WINDOW => {
            let message = format!("a window of time holds {SHORTEST_WINDOW:?} or more");
            mistakes.at(expr, message);
            None
        }
        Setting::Known(time, expr) => Some(Setting::Known(Window::Time(time), expr)),
        Setting::Later(expr) => Some(Setting::Later(expr)),
    }
}

fn key<T>((arg, _): &(Arg, Setting<T>)) -> Option<Ident> {
    arg.key().cloned()
}
