//! What is wrong with an `#[idempotent]` by itself.

use std::time::Duration;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, ext::IdentExt};

use super::{Given, Idempotent, Interrupted};
use crate::{
    args::{Arg, Mistakes},
    func::Func,
    nearest::nearest,
    tokens::{ASYNC_TRAIT_SELF, contains, is_ident, mentions},
    value::is_constant,
};

const DEFAULT_TTL: Duration = Duration::from_secs(24 * 3_600);
const DEFAULT_LEASE: Duration = Duration::from_secs(30);

impl Idempotent {
    pub(super) fn check(&self, func: &Func, fresh_key: Option<&Arg>, mistakes: &mut Mistakes) {
        if let Some(key) = &self.key {
            check_key(key, func, fresh_key.is_some(), mistakes);
        }
        let print = self.fingerprint.as_ref();
        if let Some(fresh) = print.and_then(|print| fresh_value(print.to_token_stream())) {
            mistakes.at(
                &fresh,
                "this is another one in each call, so that every duplicate is a mismatch",
            );
        }
        if let Some(borrow) = func.borrow_in_the_outcome() {
            mistakes.at(
                &borrow,
                "the result is kept, and read again for duplicates, so it cannot borrow: return what owns it",
            );
        }
        if let Some(scope) = &self.scope {
            match scope {
                Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) if !name.value().is_empty() => {}
                Expr::Path(_) => {}
                _ => mistakes.at(
                    scope,
                    "`scope` takes a name that is the same in every release: `scope = \"charge\"`",
                ),
            }
        }
        if let Some(tenant) = self.tenant.as_ref().filter(|tenant| is_constant(tenant)) {
            mistakes.at(
                tenant,
                "this is the same for all: name the argument that tells tenants apart, or leave \
                 `tenant` out",
            );
        }
        self.check_times(mistakes);
        self.check_choices(mistakes);
    }

    fn check_times(&self, mistakes: &mut Mistakes) {
        for (given, message) in [
            (&self.ttl, "a `ttl` of zero forgets at once: say how late a duplicate may come"),
            (&self.lease, "a `lease` of zero is lost at once: give the call time to renew it"),
        ] {
            if let Some((_, setting)) = given {
                if setting.known() == Some(Duration::ZERO) {
                    mistakes.at(setting.expr(), message);
                }
            }
        }
        if let Some((_, wait)) = &self.wait {
            if wait.known() == Some(Duration::ZERO) {
                mistakes.at(
                    wait.expr(),
                    "who does not wait is refused: write `on_duplicate = \"reject\"` instead",
                );
            }
        }
        let known = |given: &Given<Duration>, default| match given {
            None => Some(default),
            Some((_, setting)) => setting.known(),
        };
        let (ttl, lease) = (known(&self.ttl, DEFAULT_TTL), known(&self.lease, DEFAULT_LEASE));
        let (Some(ttl), Some(lease)) = (ttl, lease) else { return };
        if lease > ttl && ttl > Duration::ZERO {
            let (at, message) = match (&self.lease, &self.ttl) {
                (Some((_, lease)), _) => (
                    lease,
                    format!(
                        "a `lease` is how long a crash holds up the next call, and must be no longer \
                         than the `ttl` of {}",
                        if self.ttl.is_some() { format!("{ttl:?}") } else { "24h".to_owned() }
                    ),
                ),
                (None, Some((_, ttl))) if self.is_in_a_transaction() => {
                    (ttl, format!("in a transaction, a `ttl` is at least {lease:?}"))
                }
                (None, Some((_, ttl))) => (
                    ttl,
                    format!(
                        "the `ttl` is how long a result is kept, and must be no shorter than the \
                         `lease` of {lease:?}: set `lease` too"
                    ),
                ),
                (None, None) => return,
            };
            mistakes.at(at.expr(), message);
        }
    }

    fn check_choices(&self, mistakes: &mut Mistakes) {
        let is = |given: &Given<Ident>, wanted: &str| {
            given.as_ref().and_then(|(_, choice)| choice.known()).is_some_and(|c| c == wanted)
        };
        if let (Some((arg, _)), true) = (&self.wait, is(&self.on_duplicate, "Reject")) {
            mistakes.at(&arg.key(), "nobody waits with `on_duplicate = \"reject\"`: leave one out");
        }
        let fails = matches!(&self.on_interrupted, Some((_, Interrupted::Known(c))) if c == "Fail");
        if let Some((arg, most)) = &self.max_interruptions {
            if fails {
                mistakes.at(
                    &arg.key(),
                    "with `on_interrupted = \"fail\"` the first interruption is the last: leave this out",
                );
            } else if most.known().is_some_and(|most| most < 2) {
                mistakes.at(
                    most.expr(),
                    "then the first interruption is the last: write `on_interrupted = \"fail\"` instead",
                );
            }
        }
    }
}

fn check_key(key: &Expr, func: &Func, may_be_fresh: bool, mistakes: &mut Mistakes) {
    if is_constant(key) {
        return mistakes.at(
            key,
            "this is the same for every call, so that only the first would run: name the argument that \
             tells one from another, as in `key = order.id`",
        );
    }
    if may_be_fresh {
        return;
    }
    if let Some(fresh) = fresh_value(key.to_token_stream()) {
        return mistakes.at(
            &fresh,
            "this is another one in each call, so that none is ever a duplicate: take the key from the \
             request, or write `fresh_key` beside it if that is meant",
        );
    }
    let tokens = key.to_token_stream();
    let this = ["self", ASYNC_TRAIT_SELF].iter().any(|this| contains(tokens.clone(), this));
    let names: Vec<_> = func.arguments().names().iter().map(|n| n.unraw().to_string()).collect();
    if this || names.iter().any(|name| mentions(tokens.clone(), name)) {
        return;
    }
    let names = || names.iter().map(String::as_str);
    let near = root(key).and_then(|root| nearest(&root.to_string(), names()));
    let way_out = match (near, names().next()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(name)) => format!("name one that does, as in `key = {name}`"),
        (None, None) => "take it as one".to_owned(),
    };
    mistakes.at(
        key,
        format_args!(
            "this names no argument of `{}`, and so cannot tell one call from another: {way_out}",
            func.name()
        ),
    );
}

/// The name that an expression begins with.
fn root(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Path(path) => path.path.get_ident(),
        Expr::Reference(reference) => root(&reference.expr),
        _ => None,
    }
}

/// Where a value is made that is another one each time, if one is.
fn fresh_value(tokens: TokenStream) -> Option<Ident> {
    const FRESH: [&str; 17] = [
        "elapsed",
        "from_entropy",
        "gen_range",
        "nanoid",
        "new_v1",
        "new_v4",
        "new_v6",
        "new_v7",
        "now",
        "now_local",
        "now_utc",
        "now_v1",
        "now_v6",
        "now_v7",
        "random",
        "random_range",
        "thread_rng",
    ];
    let tokens: Vec<_> = tokens.into_iter().collect();
    tokens.iter().enumerate().find_map(|(at, token)| match token {
        TokenTree::Ident(name) => {
            let is_called = match tokens.get(at + 1) {
                Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
                // A macro, or a turbofish.
                Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '!' | ':'),
                _ => false,
            };
            let is_fresh = FRESH.iter().any(|fresh| name == fresh)
                || (name == "new" || name == "generate") && is_preceded_by(&tokens[..at], "Ulid");
            (is_called && is_fresh).then(|| name.clone())
        }
        TokenTree::Group(group) => fresh_value(group.stream()),
        _ => None,
    })
}

fn is_preceded_by(before: &[TokenTree], name: &str) -> bool {
    matches!(before, [.., ty, _, _] if is_ident(ty, name))
}

/// A task of its own cannot borrow from the caller.
pub(super) fn check_detach(func: &Func, mistakes: &mut Mistakes) {
    for borrowed in func.borrowed_arguments() {
        let way_out = if contains(borrowed.clone(), "self") {
            "take `self: Arc<Self>`"
        } else {
            "take it by value, or in an `Arc`"
        };
        mistakes.at(
            &borrowed,
            format_args!(
                "`detach` runs the function on a task of its own, which cannot borrow from its caller: \
                 {way_out}"
            ),
        );
    }
}
