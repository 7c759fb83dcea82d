//! `#[retry]`: keys, checks, expansion.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Expr;

use self::keys::{
    BACKOFF, BASE, BUDGET, CAP, CLONE, FACTOR, JITTER, KEYS, MAX, ON_RETRY, SAFE, WHEN, WHEN_OK,
};
use super::{Code, Context, did_you_mean_argument};
use crate::{
    args::{Arg, Args, Mistakes},
    arguments::MutArgument,
    func::Func,
    tokens::{local, placed_at, shadowing},
    value::{self, Place, Setting, borrowed, callable, keyed, place},
};

mod keys;

const SHARED: Place = Place {
    key: &BUDGET,
    literal: "`budget` takes a `RetryBudget` by name, or `none`: `static STRIPE: RetryBudget = \
              RetryBudget::new();` and `budget = STRIPE`",
    made: "a budget made for the call holds nobody back: make it a `static` and name that",
};

/// What other libraries call a limit of time.
const LIMITS: &[&str] =
    &["deadline", "max_duration", "max_elapsed", "max_elapsed_time", "timeout", "total"];

const BACKOFFS: &[(&str, &str)] =
    &[("exp", "Exponential"), ("linear", "Linear"), ("fixed", "Fixed"), ("fibonacci", "Fibonacci")];
const JITTERS: &[(&str, &str)] =
    &[("full", "Full"), ("equal", "Equal"), ("decorrelated", "Decorrelated"), ("none", "None")];

pub(crate) struct Retry {
    max: Option<(Arg, Setting<u32>)>,
    backoff: Option<(Arg, Setting<Ident>)>,
    base: Option<(Arg, Setting<Duration>)>,
    factor: Option<(Arg, Setting<f64>)>,
    cap: Option<(Arg, Setting<Duration>)>,
    jitter: Option<(Arg, Setting<Ident>)>,
    safe: Option<Arg>,
    when: Option<Expr>,
    when_ok: Option<Expr>,
    budget: Option<Expr>,
    notify: Option<Expr>,
    clones: Vec<Ident>,
}

impl Retry {
    pub(crate) fn read(mut args: Args, func: &Func, mistakes: &mut Mistakes) -> Self {
        let retry = Self {
            max: keyed(&mut args, &MAX, mistakes, |v, m| value::whole_number(&MAX, v, m)),
            backoff: keyed(&mut args, &BACKOFF, mistakes, |v, m| {
                value::choice(&BACKOFF, BACKOFFS, v, m)
            }),
            base: keyed(&mut args, &BASE, mistakes, value::duration),
            factor: keyed(&mut args, &FACTOR, mistakes, |v, m| value::number(&FACTOR, v, m)),
            cap: keyed(&mut args, &CAP, mistakes, value::duration),
            jitter: keyed(&mut args, &JITTER, mistakes, |v, m| {
                value::choice(&JITTER, JITTERS, v, m)
            }),
            safe: args.take(&SAFE, mistakes).inspect(|arg| arg.flag(&SAFE, mistakes)),
            when: callable(&mut args, &WHEN, mistakes),
            when_ok: callable(&mut args, &WHEN_OK, mistakes),
            budget: place(&mut args, &SHARED, mistakes),
            notify: callable(&mut args, &ON_RETRY, mistakes),
            clones: clones(&mut args, func, mistakes),
        };
        if let Some(arg) = args.take_equals(LIMITS) {
            mistakes.at(
                &arg.key(),
                "`retry` limits no time: write `#[deadline(\"2s\")]`, above it for all attempts or \
                 below it for each",
            );
        }
        args.finish(KEYS, mistakes);
        retry.check(mistakes);
        retry
    }

    /// The rules on one value, then those between two.
    fn check(&self, mistakes: &mut Mistakes) {
        if let Some((_, max)) = &self.max {
            match max.known() {
                Some(0) => mistakes.at(
                    max.expr(),
                    "`max` counts every attempt, the first included: 0 would never run the body",
                ),
                Some(1) => mistakes.at(
                    max.expr(),
                    "`max` counts every attempt, the first included: 1 retries nothing, so leave \
                     `#[retry]` out",
                ),
                _ => {}
            }
        }
        if let Some((key, factor)) = &self.factor {
            if factor.known().is_some_and(|factor| factor < 1.0) {
                mistakes.at(
                    factor.expr(),
                    "a `factor` under 1 makes each wait shorter than the last: use 1 or more",
                );
            }
            if let Some(backoff) = self.backoff_other_than("Exponential") {
                let message =
                    format!("`factor` belongs to `backoff = \"exp\"`, not to `{backoff}`");
                mistakes.at(&key.key(), message);
            } else if self.is_decorrelated() {
                mistakes.at(
                    &key.key(),
                    "`factor` does nothing with `jitter = \"decorrelated\"`, which grows by itself",
                );
            }
        }
        if let Some((_, cap)) = &self.cap {
            if cap.known() == Some(Duration::ZERO) {
                mistakes.at(
                    cap.expr(),
                    "a `cap` of zero allows no wait: for none, write `base = \"0s\"`",
                );
            }
        }
        if let (Some(safe), Some(when)) = (&self.safe, &self.when) {
            if value::is_word(when, "any") {
                mistakes.at(
                    &safe.key(),
                    "`safe` does nothing beside `when = any`, which retries every error: leave one out",
                );
            }
        }
        self.check_base_and_cap(mistakes);
        if let (Some((key, _)), true) = (&self.backoff, self.is_decorrelated()) {
            mistakes
                .at(&key.key(), "`jitter = \"decorrelated\"` grows by itself: leave `backoff` out");
        }
    }

    fn check_base_and_cap(&self, mistakes: &mut Mistakes) {
        const DEFAULT_BASE: Duration = Duration::from_millis(100);
        const DEFAULT_CAP: Duration = Duration::from_secs(10);
        let base = self.base.as_ref().and_then(|(_, base)| base.known());
        let cap = self.cap.as_ref().and_then(|(_, cap)| cap.known());
        match (&self.base, &self.cap) {
            (_, Some((_, setting))) if base.zip(cap).is_some_and(|(base, cap)| base > cap) => {
                let base = base.unwrap_or(DEFAULT_BASE);
                let message =
                    format!("`cap` is below `base`, which is {base:?}: swap or change them");
                mistakes.at(setting.expr(), message);
            }
            (None, Some((_, setting)))
                if cap.is_some_and(|cap| !cap.is_zero() && cap < DEFAULT_BASE) =>
            {
                let message = format!(
                    "`cap` is below the default `base` of {DEFAULT_BASE:?}: set `base` too"
                );
                mistakes.at(setting.expr(), message);
            }
            (Some((_, setting)), None) if base.is_some_and(|base| base > DEFAULT_CAP) => {
                let message =
                    format!("`base` is above the default `cap` of {DEFAULT_CAP:?}: set `cap` too");
                mistakes.at(setting.expr(), message);
            }
            _ => {}
        }
    }

    fn backoff_other_than(&self, variant: &str) -> Option<String> {
        let (_, backoff) = self.backoff.as_ref()?;
        let known = backoff.known()?;
        (known != variant).then(|| backoff.expr().to_token_stream().to_string().replace('"', ""))
    }

    fn is_decorrelated(&self) -> bool {
        self.jitter
            .as_ref()
            .and_then(|(_, jitter)| jitter.known())
            .is_some_and(|j| j == "Decorrelated")
    }

    /// Input:  `future`, with `#[retry(max = 3)]`
    /// Output:
    /// ```text
    /// let mut attempts = Attempts::new(Some(&BUDGET));
    /// loop {
    ///     let wait = {
    ///         let outcome: Result<T, E> = {
    ///             let body = fresh(&body);          // a `mut` argument, or one in `clone(..)`
    ///             future.await
    ///         };
    ///         let rules = Rules::new(&RETRY, Some(&BUDGET), &SITE);
    ///         match attempts.after(rules, &outcome, by_fault, no_value) {
    ///             Some(wait) => wait,
    ///             None => break outcome,
    ///         }
    ///     };                                        // the outcome is dropped before the pause
    ///     pause(wait).await;
    /// }
    /// ```
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        let rt = cx.rt.clone();
        let policy = self.policy(cx);
        let (budget_of, budget) = self.budget(cx);
        let inner = inner.into_statements(&rt);
        let ret = cx.func.ret();
        let fresh = self.fresh(cx);
        // In braces of their own, so that `when` and the like see the arguments as they came.
        let attempt = if fresh.is_empty() { inner } else { quote!({ #fresh #inner }) };
        let local_outcome = local("__steadfast_outcome");
        let outcome = placed_at(&cx.func.outcome(), &quote!(&#local_outcome));
        let (after_at, when) = cx.when(self.when.as_ref());
        let after = placed_at(&after_at, &quote!(#rt::Attempts::after));
        let (gate, waits) = (cx.gate.as_ref().map(|(gate, _)| gate), !cx.falls_back);
        let minding = gate.map(|gate| quote!(.minding(#gate, #waits)));
        let noting = cx.refusals.then(|| quote!(.noting(__steadfast_refusals)));
        let unwanted = match &self.when_ok {
            None => quote!(#rt::no_value),
            Some(when_ok) => when_ok.to_token_stream(),
        };
        let on_retry = self.notify.as_ref().map(|on_retry| {
            let notify = placed_at(on_retry, &quote!(#rt::Attempts::notify));
            quote!(#notify(&__steadfast_attempts, __steadfast_wait, &#local_outcome, #on_retry);)
        });
        let span = cx.reuse.unwrap_or_else(Span::call_site);
        Code::Statements(quote_spanned! {span=>
            #budget_of
            let mut __steadfast_attempts = #rt::Attempts::new(#budget);
            loop {
                let __steadfast_wait = {
                    let #local_outcome: #ret = #attempt;
                    let __steadfast_rules = #rt::Rules::new(&#policy, #budget, &__STEADFAST_SITE) #minding #noting;
                    match #after(
                        &mut __steadfast_attempts,
                        __steadfast_rules,
                        #outcome,
                        #when,
                        #unwanted,
                    ) {
                        #rt::Option::Some(__steadfast_wait) => {
                            #on_retry
                            __steadfast_wait
                        }
                        #rt::Option::None => break #local_outcome,
                    }
                };
                #rt::pause(__steadfast_wait).await;
            }
        })
    }

    /// Input:  `max = 3, base = "50ms"`
    /// Output: `const __STEADFAST_RETRY: Retry = Retry::new().max(3).base(Duration::new(0, 50000000));`
    fn policy(&self, cx: &mut Context<'_>) -> Ident {
        let rt = cx.rt.clone();
        let mut constant = true;
        let mut setters = TokenStream::new();
        let mut set = |arg: &Arg, value: TokenStream, known: bool| {
            let key = arg.key();
            setters.extend(quote!(.#key(#value)));
            constant &= known;
        };
        if let Some((arg, max)) = &self.max {
            set(arg, max.expr().to_token_stream(), max.known().is_some());
        }
        if let Some((arg, backoff)) = &self.backoff {
            set(arg, variant(&quote!(#rt::Backoff), backoff), backoff.known().is_some());
        }
        for (arg, wait) in [&self.base, &self.cap].into_iter().flatten() {
            set(arg, wait.duration_tokens(&rt), wait.known().is_some());
        }
        if let Some((arg, factor)) = &self.factor {
            set(arg, factor.number_tokens(), factor.known().is_some());
        }
        if let Some((arg, jitter)) = &self.jitter {
            set(arg, variant(&quote!(#rt::Jitter), jitter), jitter.known().is_some());
        }
        if let Some(arg) = &self.safe {
            set(arg, TokenStream::new(), true);
        }
        let policy = quote!(#rt::Retry::new() #setters);
        cx.declare("Retry", &policy, constant)
    }

    /// Input:  `budget = STRIPE`, or nothing, or `budget = none`
    /// Output: `Some(__steadfast_budget)` with a `let`, or `Some(&OWN)` with a `static`, or `None`
    fn budget(&self, cx: &mut Context<'_>) -> (TokenStream, TokenStream) {
        let rt = cx.rt.clone();
        match &self.budget {
            // One dependency, one breaker, one budget.
            None if matches!(cx.gate, Some((_, true))) => {
                let gate = cx.gate.as_ref().map(|(gate, _)| gate);
                (TokenStream::new(), quote!(#rt::Option::Some(#gate.budget())))
            }
            None => {
                cx.declare_first(quote! {
                    static __STEADFAST_BUDGET: #rt::RetryBudget = #rt::RetryBudget::new();
                });
                (TokenStream::new(), quote!(#rt::Option::Some(&__STEADFAST_BUDGET)))
            }
            Some(none) if value::is_word(none, "none") => {
                (TokenStream::new(), quote!(#rt::Option::None))
            }
            Some(budget) => {
                // It stands beside the loop, since it may borrow from what the loop's block takes.
                let place = borrowed(budget);
                let declaration = if matches!(budget, Expr::Path(_)) {
                    // A call, in which a `const` does not outlive the statement: each use of one is
                    // a budget of its own, which would hold nobody back.
                    let shared = placed_at(budget, &quote!(#rt::shared));
                    quote!(let __steadfast_budget = #shared(#place);)
                } else {
                    // The type is written out so that a reference or an `Arc` coerces.
                    let ty = placed_at(budget, &quote!(&#rt::RetryBudget));
                    quote!(let __steadfast_budget: #ty = #place;)
                };
                (declaration, quote!(#rt::Option::Some(__steadfast_budget)))
            }
        }
    }

    /// Input:  `clone(body)`, or an argument `mut body`
    /// Output: `let body = fresh(&body);`
    fn fresh(&self, cx: &Context<'_>) -> TokenStream {
        let rt = &cx.rt;
        let arguments = cx.func.arguments();
        let muts = arguments.muts().iter().map(|MutArgument { attrs, name, .. }| {
            let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
            (cfgs, name)
        });
        let clones = self.clones.iter().filter(|name| !arguments.is_mut(name));
        let clones = clones.map(|name| (Vec::new(), name));
        muts.chain(clones)
            .map(|(cfgs, name)| {
                let fresh = placed_at(name, &quote!(#rt::fresh));
                let reference = placed_at(name, &quote!(&));
                let own = quote!(#(#cfgs)* let #name = #fresh(#reference #name););
                shadowing(&own)
            })
            .collect()
    }

    /// The arguments that each attempt takes as its own, besides those that are `mut`.
    pub(crate) fn clones(&self) -> &[Ident] {
        &self.clones
    }
}

fn clones(args: &mut Args, func: &Func, mistakes: &mut Mistakes) -> Vec<Ident> {
    let Some(arg) = args.take(&CLONE, mistakes) else { return Vec::new() };
    if arg.values().is_empty() {
        mistakes.at(&arg.key(), "`clone` needs the names of arguments: `clone(body)`");
    }
    let mut names = Vec::new();
    for value in arg.values() {
        let name = match value {
            Expr::Path(path) => path.path.get_ident(),
            _ => None,
        };
        match name {
            None => mistakes.at(value, "`clone` takes the names of arguments: `clone(body)`"),
            Some(name) if name == "self" => {
                mistakes.at(name, "`self` cannot be cloned for an attempt: clone it in the body");
            }
            Some(name) if !func.arguments().names().contains(name) => {
                mistakes.at(name, did_you_mean_argument(func, name));
            }
            Some(name) if names.contains(name) => {
                mistakes.at(name, format_args!("`{name}` stands here twice: keep one"));
            }
            Some(name) => names.push(name.clone()),
        }
    }
    names
}

/// Input:  `Backoff`, `Linear`
/// Output: `Backoff::Linear`
fn variant(of: &TokenStream, setting: &Setting<Ident>) -> TokenStream {
    match setting.known() {
        Some(variant) => quote!(#of::#variant),
        None => setting.expr().to_token_stream(),
    }
}
