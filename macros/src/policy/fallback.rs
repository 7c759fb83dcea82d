//! `#[fallback]`: keys, checks, expansion.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Lit, spanned::Spanned};

use super::{Code, Context};
use crate::{
    args::{Args, Key, Mistakes},
    arguments::Handed,
    func::Func,
    tokens::{local, placed_at},
    value::{self, Setting, borrowed, callable, expression, is_constant, keyed},
};

const EXPR: Key =
    Key { name: "expr", example: "expr = Vec::new()", elsewhere: &["default", "or", "value"] };
const STALE: Key = Key {
    name: "stale",
    example: "stale = \"5m\"",
    elsewhere: &["cache", "last_good", "max_age", "ttl"],
};
const KEY: Key = Key { name: "key", example: "key = user", elsewhere: &["by", "per"] };
const ON: Key = Key { name: "on", example: "on = \"refused\"", elsewhere: &["if", "trigger"] };
const WHEN: Key = Key {
    name: "when",
    example: "when(Error::is_outage)",
    elsewhere: &["condition", "handle", "predicate"],
};
const KEYS: &[Key] = &[EXPR, STALE, KEY, ON, WHEN];

const TRIGGERS: &[(&str, &str)] = &[("any", "Any"), ("failed", "Failed"), ("refused", "Refused")];

pub(crate) struct Fallback {
    tiers: Vec<Expr>,
    expr: Option<Expr>,
    stale: Option<Setting<Duration>>,
    key: Option<Expr>,
    on: Option<Setting<Ident>>,
    when: Option<Expr>,
    /// Whether there is nothing to fall back to.
    pub(crate) is_empty: bool,
}

impl Fallback {
    pub(crate) fn read(mut args: Args, func: &Func, mistakes: &mut Mistakes) -> Self {
        let stale = args.take(&STALE, mistakes);
        let has_stale = stale.is_some();
        let stale = stale.and_then(|arg| value::duration(arg.value(&STALE, mistakes)?, mistakes));
        let fallback = Self {
            expr: expression(&mut args, &EXPR, mistakes),
            key: expression(&mut args, &KEY, mistakes),
            on: keyed(&mut args, &ON, mistakes, |v, m| value::choice(&ON, TRIGGERS, v, m))
                .map(|(_, on)| on),
            when: callable(&mut args, &WHEN, mistakes),
            tiers: args.take_values(KEYS, mistakes),
            stale,
            is_empty: false,
        };
        let named = args.take_equals(&["fn", "function", "to", "with"]);
        let has_some = has_stale || named.is_some();
        if let Some(arg) = named {
            mistakes.at(
                &arg.key(),
                "a fallback is named without a key: write it as in `#[fallback(bestsellers)]`",
            );
        }
        let is_empty =
            !has_some && fallback.tiers.is_empty() && fallback.expr.is_none() && args.is_empty();
        args.finish(KEYS, mistakes);
        fallback.check(func, has_stale, mistakes);
        Self { is_empty, ..fallback }
    }

    fn check(&self, func: &Func, has_stale: bool, mistakes: &mut Mistakes) {
        let Self { tiers, stale, key, on, .. } = self;
        for tier in tiers {
            match tier {
                Expr::Path(_) => {}
                Expr::Call(call) => mistakes.at(
                    tier,
                    format_args!(
                        "a fallback is called with the function's own arguments: write `{}`",
                        call.func.to_token_stream().to_string().replace(' ', "")
                    ),
                ),
                Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => mistakes.at(
                    tier,
                    format_args!(
                        "a fallback is a function: write `{}` without quotes",
                        name.value()
                    ),
                ),
                Expr::Field(field) => mistakes.at(
                    tier,
                    format_args!(
                        "a fallback is a function, by its path: write `Self::{}`",
                        field.member.to_token_stream()
                    ),
                ),
                Expr::Array(_) | Expr::Tuple(_) => mistakes
                    .at(tier, "fallbacks stand beside each other: write `replica, bestsellers`"),
                _ => mistakes.at(
                    tier,
                    "a fallback is a function, by its name: for a value, write `expr = ..`",
                ),
            }
        }
        match (stale, key) {
            (None, Some(key)) if !has_stale => mistakes.at(
                key,
                "`key` tells the last good values of `stale` apart: add `stale = \"5m\"`, or leave \
                 it out",
            ),
            (Some(stale), None) if func.arguments().handed().next().is_some() => mistakes.at(
                stale.expr(),
                "whose last good value is it? add the arguments that it depends on: `key = user`, \
                 or `key = ()` if it is everybody's",
            ),
            (Some(_), Some(key)) if is_constant(key) => mistakes.at(
                key,
                "this is the same for all, and one gets what another asked for: name the arguments \
                 that the value depends on, as in `key = user`",
            ),
            (Some(stale), _) if stale.known() == Some(Duration::ZERO) => {
                mistakes.at(stale.expr(), "a value is always older than that: give it time");
            }
            _ => {}
        }
        if on.as_ref().is_some_and(|on| on.known().is_none()) {
            let on = on.as_ref().map(Setting::expr);
            mistakes.at(&on, "`on` takes `\"any\"`, `\"failed\"` or `\"refused\"`");
        }
        if tiers.iter().any(|tier| matches!(tier, Expr::Path(_))) {
            for handed in func.arguments().handed() {
                if let Handed::Nameless(pattern) = handed {
                    mistakes.at(
                        pattern,
                        "a fallback is handed all arguments, and this one has no name: give it one, \
                         and take it apart in the body",
                    );
                }
            }
        }
    }

    /// Whether the arguments are needed once more after the body has run.
    pub(crate) fn reuses_arguments(&self) -> bool {
        !self.tiers.is_empty() || self.expr.is_some()
    }

    /// Notes what is wrong with it above the policies of its stack.
    pub(crate) fn check_below(&self, refuses: bool, mistakes: &mut Mistakes) {
        let Some(on) = &self.on else { return };
        if !refuses && on.known().is_some_and(|on| on == "Refused") {
            mistakes.at(
                on.expr(),
                "nothing below it refuses a call: add `#[circuit_breaker]` or `#[deadline]`, or leave \
                 `on` out",
            );
        }
    }

    /// Input:  `future`, with `#[fallback(stale = "5m", key = user, bestsellers)]`
    /// Output:
    /// ```text
    /// static STALE: Stale = Stale::new();
    /// let kept = STALE.of(&user);
    ///
    /// 'tiers: {
    ///     let outcome: Result<T, E> = future.await;
    ///     let failure = match failure(outcome, On::Any, &refusals, any) {
    ///         Ok(outcome) => {
    ///             kept.keep(&outcome);
    ///             break 'tiers outcome;
    ///         }
    ///         Err(failure) => failure,
    ///     };
    ///     if let Some(outcome) = failure.stale(&SITE, &kept, Duration::new(300, 0)) {
    ///         break 'tiers outcome;
    ///     }
    ///     let outcome = failure.stand_in(bestsellers, (client, user,)).await;
    ///     if failure.served(&SITE, "bestsellers", &outcome) {
    ///         break 'tiers outcome;
    ///     }
    ///     failure.unserved_but(&SITE, outcome)
    /// }
    /// ```
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        let rt = cx.rt.clone();
        let inner = inner.into_statements(&rt);
        let ret = cx.func.ret();
        let (outcome, failure) = (local("__steadfast_outcome"), quote!(__steadfast_failure));
        let looked_for = placed_at(&cx.func.outcome(), &quote!(#rt::failure));
        let when =
            self.when.as_ref().map_or_else(|| quote!(#rt::any), |when| cx.when(Some(when)).1);
        let seen = placed_at(&cx.func.outcome(), &quote!(#outcome));
        let on = self.on.as_ref().and_then(Setting::known);
        let on = on.map_or_else(|| quote!(#rt::On::Any), |on| quote!(#rt::On::#on));
        let refusals = cx.refusals();
        let (keep, stale) = self.stale(cx);
        let calls = self.tiers.iter().map(|path| {
            let stand_in = placed_at(path, &quote!(#rt::Failure::stand_in));
            let arguments = cx.func.handed_on(path.span());
            let name = path.to_token_stream().to_string().replace(' ', "");
            (quote!(#stand_in(&#failure, #path, #arguments)), name)
        });
        let value = self.expr.iter().map(|expr| {
            let answer = placed_at(expr, &quote!(#rt::Failure::answer));
            (quote!(#answer(&#failure, #expr)), "expr".to_owned())
        });
        let mut tiers: Vec<_> = calls
            .chain(value)
            .map(|(call, name)| {
                quote! {
                    #[allow(clippy::used_underscore_binding)]
                    let #outcome = #call.await;
                    if #failure.served(&__STEADFAST_SITE, #name, &#outcome) {
                        break '__steadfast_tiers #outcome;
                    }
                }
            })
            .collect();
        let unserved = if tiers.is_empty() {
            quote!(#failure.unserved(&__STEADFAST_SITE))
        } else {
            quote!(#failure.unserved_but(&__STEADFAST_SITE, #outcome))
        };
        tiers.push(unserved);
        Code::Statements(quote! {
            '__steadfast_tiers: {
                let #outcome: #ret = { #inner };
                let #failure = match #looked_for(#seen, #on, #refusals, #when) {
                    #rt::Result::Ok(#outcome) => {
                        #keep
                        break '__steadfast_tiers #outcome;
                    }
                    #rt::Result::Err(#failure) => #failure,
                };
                #stale
                #(#tiers)*
            }
        })
    }

    /// What keeps a good value, and what hands it out again.
    fn stale(&self, cx: &mut Context<'_>) -> (TokenStream, TokenStream) {
        let Some(stale) = &self.stale else { return Default::default() };
        let rt = cx.rt.clone();
        let unit: Expr = syn::parse_quote!(());
        let key = self.key.as_ref().unwrap_or(&unit);
        let of = placed_at(key, &quote!(#rt::Stale::of));
        let key = borrowed(key);
        cx.declare_first(quote! {
            static __STEADFAST_STALE: #rt::Stale = #rt::Stale::new();
            #[allow(clippy::needless_borrows_for_generic_args)]
            let __steadfast_kept = #of(&__STEADFAST_STALE, #key);
        });
        let outcome = local("__steadfast_outcome");
        let keep = placed_at(&cx.func.outcome(), &quote!(#rt::Kept::keep));
        let max_age = stale.duration_tokens(&rt);
        // At the return type as `keep` is, so that a value which cannot be kept is told of once.
        let find = placed_at(&cx.func.outcome(), &quote!(#rt::Failure::stale));
        let handed_out = quote! {
            if let #rt::Option::Some(#outcome) =
                #find(&__steadfast_failure, &__STEADFAST_SITE, &__steadfast_kept, #max_age)
            {
                break '__steadfast_tiers #outcome;
            }
        };
        let good = placed_at(&cx.func.outcome(), &quote!(&#outcome));
        (quote!(#keep(&__steadfast_kept, #good);), handed_out)
    }
}
