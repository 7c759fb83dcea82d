//! The policies: for each, one file with its keys, its checks and what it expands to.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Expr;

use crate::{
    args::{Args, Mistakes},
    func::Func,
    nearest::nearest,
    tokens::{local, placed_at},
    value::is_word,
};

pub(crate) mod circuit_breaker;
pub(crate) mod deadline;
pub(crate) mod fallback;
pub(crate) mod idempotent;
pub(crate) mod retry;

/// The attributes that stack.
pub(crate) const NAMES: &[&str] =
    &["circuit_breaker", "deadline", "fallback", "idempotent", "retry"];

/// One attribute of a stack, read and found right by itself.
pub(crate) enum Policy {
    CircuitBreaker(Box<circuit_breaker::CircuitBreaker>),
    Deadline(Box<deadline::Deadline>),
    Fallback(Box<fallback::Fallback>),
    Idempotent(Box<idempotent::Idempotent>),
    Retry(Box<retry::Retry>),
}

impl Policy {
    /// Reads the arguments of the attribute of this name, one of [`NAMES`].
    pub(crate) fn read(name: &str, args: Args, func: &Func, mistakes: &mut Mistakes) -> Self {
        match name {
            "circuit_breaker" => Self::CircuitBreaker(Box::new(
                circuit_breaker::CircuitBreaker::read(args, mistakes),
            )),
            "fallback" => Self::Fallback(Box::new(fallback::Fallback::read(args, func, mistakes))),
            "idempotent" => {
                Self::Idempotent(Box::new(idempotent::Idempotent::read(args, func, mistakes)))
            }
            "deadline" => Self::Deadline(Box::new(deadline::Deadline::read(args, mistakes))),
            _ => Self::Retry(Box::new(retry::Retry::read(args, func, mistakes))),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::CircuitBreaker(_) => "circuit_breaker",
            Self::Deadline(_) => "deadline",
            Self::Fallback(_) => "fallback",
            Self::Idempotent(_) => "idempotent",
            Self::Retry(_) => "retry",
        }
    }

    /// Whether it may say no to a call.
    pub(crate) fn refuses(&self) -> bool {
        matches!(self, Self::CircuitBreaker(_) | Self::Deadline(_) | Self::Idempotent(_))
    }

    /// What is wrong with it where it stands, below these.
    pub(crate) fn wrong_below(&self, above: &[&str]) -> Option<&'static str> {
        let below = |name| above.contains(&name);
        match self {
            Self::CircuitBreaker(_) if below("circuit_breaker") => Some(
                "a second `circuit_breaker` on one function judges the same calls again: keep one",
            ),
            Self::Deadline(deadline) if below("retry") && deadline.is_bare => Some(
                "below `retry` a deadline bounds each attempt: give it a limit, as in \
                 `#[deadline(\"1s\")]`",
            ),
            Self::Fallback(fallback) if fallback.is_empty => Some(
                "`fallback` needs something to fall back to: `#[fallback(bestsellers)]`, \
                 `#[fallback(expr = Vec::new())]` or `#[fallback(stale = \"5m\", key = user)]`",
            ),
            Self::Fallback(_) if below("fallback") => Some(
                "a second `fallback` on one function: write its tiers in one, in order, as in \
                 `#[fallback(replica, bestsellers)]`",
            ),
            Self::Fallback(_) if below("retry") => Some(
                "below `retry` a fallback answers for the first attempt, and nothing is retried: \
                 put it above",
            ),
            Self::Fallback(_) if below("circuit_breaker") => {
                Some("below `circuit_breaker` a fallback hides every failure from it: put it above")
            }
            Self::Fallback(_) if below("idempotent") => Some(
                "below `idempotent` what a fallback serves is kept as the result, and the effect never \
                 happens: put it above",
            ),
            Self::Idempotent(idempotent) if idempotent.is_keyless => Some(
                "`idempotent` needs a key: write `#[idempotent(key = ..)]` with what tells one request \
                 from another, as in `key = order.id`",
            ),
            Self::Idempotent(idempotent) if idempotent.is_unscoped => Some(
                "another type may have a method of this name, and their keys would meet: name the scope, as \
                 in `scope = \"Shop::charge\"`",
            ),
            Self::Idempotent(_) if below("idempotent") => Some(
                "a second `idempotent` on one function: keep one, with the keys together as in \
                 `key = (order.id, part)`",
            ),
            Self::Idempotent(_) if below("retry") => Some(
                "below `retry` each attempt is a call of its own, and a duplicate of the one before: put \
                 it above",
            ),
            Self::Retry(_) if below("retry") => {
                Some("a second `retry` on one function multiplies the attempts: keep one")
            }
            _ => None,
        }
    }

    /// Puts the policy around what stands below it.
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        match self {
            Self::CircuitBreaker(breaker) => breaker.wrap(inner, cx),
            Self::Deadline(deadline) => deadline.wrap(inner, cx),
            Self::Fallback(fallback) => fallback.wrap(inner, cx),
            Self::Idempotent(idempotent) => idempotent.wrap(inner, cx),
            Self::Retry(retry) => retry.wrap(inner, cx),
        }
    }
}

/// What every policy needs to expand.
pub(crate) struct Context<'f> {
    pub(crate) func: &'f Func,
    /// What an expansion calls the module `steadfast::private::v1`.
    pub(crate) rt: TokenStream,
    /// Declarations at the top of the body, made once a call.
    pub(crate) setup: TokenStream,
    /// How many policies have been put around, for names that differ.
    pub(crate) depth: usize,
    /// Where the attribute stands that makes the body run by reference, if one does.
    pub(crate) reuse: Option<Span>,
    /// Whether there is something to serve at once when the call fails.
    pub(crate) falls_back: bool,
    /// Whether somebody above asks which refusals there were.
    pub(crate) refusals: bool,
    /// The breaker below, and whether others share it.
    pub(crate) gate: Option<(TokenStream, bool)>,
}

impl Context<'_> {
    /// Declares the settings of a policy, and says by what name.
    ///
    /// Input:  `__steadfast_retry`, `Retry`, `Retry::new().max(3)`
    /// Output: `const __STEADFAST_RETRY: Retry = Retry::new().max(3);`, or a `let` where a value is
    ///         not known before run time
    pub(crate) fn declare(&mut self, name: &str, value: &TokenStream, constant: bool) -> Ident {
        let rt = &self.rt;
        let ty = format_ident!("{name}");
        let name = format!("__steadfast_{}{}", name.to_lowercase(), self.depth);
        let (keyword, name) = if constant {
            (quote!(const), format_ident!("{}", name.to_uppercase()))
        } else {
            (quote!(let), format_ident!("{name}"))
        };
        let declaration = quote!(#keyword #name: #rt::#ty = #value;);
        self.declare_first(declaration);
        name
    }

    /// Which errors a policy counts: where to report what is wrong with that, and the code.
    ///
    /// Input:  nothing, `when = any`, `when = path`, `when = |error| ..`
    /// Output: `by_fault`, `any`, `|error| path(error)`, the closure
    pub(crate) fn when(&self, when: Option<&Expr>) -> (TokenStream, TokenStream) {
        let (rt, outcome) = (&self.rt, self.func.outcome());
        match when {
            None => (outcome.clone(), placed_at(&outcome, &quote!(#rt::by_fault))),
            Some(when) if is_word(when, "any") => (when.to_token_stream(), quote!(#rt::any)),
            // Called, and not passed: the bounds of a function that is passed are reported twice.
            Some(when @ Expr::Path(_)) => {
                let error = local("__steadfast_error");
                let arg = placed_at(when, &quote!(#error));
                (when.to_token_stream(), quote!(|#error| #when(#arg)))
            }
            Some(when) => (when.to_token_stream(), when.to_token_stream()),
        }
    }

    /// What the policies of the stack have refused, for one that asks.
    pub(crate) fn refusals(&self) -> TokenStream {
        let rt = &self.rt;
        if self.refusals {
            quote!(#rt::Option::Some(__steadfast_refusals))
        } else {
            quote!(#rt::Option::None)
        }
    }

    /// What makes an outcome of a refusal.
    ///
    /// Input:  `Result<T, E>`
    /// Output: `|refusal| refused(&SITE, refusal)`
    pub(crate) fn refuse(&self) -> TokenStream {
        let rt = &self.rt;
        // An error type that cannot carry the refusal is reported at the return type, once.
        let refused = placed_at(&self.func.outcome(), &quote!(#rt::refused));
        let refusal = local("__steadfast_refusal");
        let noted = if self.refusals {
            quote!(__steadfast_refusals.note(#refusal))
        } else {
            refusal.to_token_stream()
        };
        quote!(|#refusal| #refused(&__STEADFAST_SITE, #noted))
    }

    /// Policies are put around from the inside out, and declared in written order.
    pub(crate) fn declare_first(&mut self, declaration: TokenStream) {
        let rest = std::mem::replace(&mut self.setup, declaration);
        self.setup.extend(rest);
    }
}

/// Code on its way outwards.
pub(crate) enum Code {
    /// An expression that is a future of the function's outcome: the body.
    Body(TokenStream),
    /// The same, with a policy around it.
    Wrapped(TokenStream),
    /// Statements and a tail expression that is the outcome, for an async context.
    Statements(TokenStream),
}

impl Code {
    /// The block is `move`, since what has statements runs once: the future is `Send` as the plain
    /// one is, and what it owns is dropped in the plain one's order.
    ///
    /// Input:  statements
    /// Output: `async move { <captures> <type edge> statements }`
    pub(crate) fn into_future(self, cx: &Context<'_>) -> TokenStream {
        match self {
            Self::Body(future) | Self::Wrapped(future) => future,
            Self::Statements(statements) => {
                let captures = cx.func.capture(&statements);
                let edge = cx.func.type_edge(&cx.rt);
                quote!(async move { #captures #edge #statements })
            }
        }
    }

    /// A policy's future is pinned where it stands, since an awaited one is moved once more.
    ///
    /// Input:  a future
    /// Output: `future.await`, or `pin!(future).await`
    pub(crate) fn into_statements(self, rt: &TokenStream) -> TokenStream {
        match self {
            Self::Body(future) => quote!(#future.await),
            Self::Wrapped(future) => quote!(#rt::pin!(#future).await),
            Self::Statements(statements) => statements,
        }
    }
}

/// Whether an argument of this name belongs to the function.
pub(crate) fn did_you_mean_argument(func: &Func, name: &Ident) -> String {
    let written = name.to_string();
    let arguments: Vec<_> = func.arguments().names().iter().map(ToString::to_string).collect();
    match nearest(&written, arguments.iter().map(String::as_str)) {
        Some(near) => format!("no argument is called `{written}`: did you mean `{near}`?"),
        None => format!("no argument is called `{written}`"),
    }
}
