//! Takes all steadfast attributes off one function, in order, and checks them against each other.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Meta, Path, parse_quote, spanned::Spanned};

use crate::{
    args::{Args, Mistakes},
    func::Func,
    policy::{NAMES, Policy, deadline::Deadline},
};

/// The attributes of one function, outermost first.
pub(crate) struct Stack {
    pub(crate) layers: Vec<Layer>,
    pub(crate) krate: Path,
    /// The paths of all but the topmost, as they were written.
    pub(crate) siblings: Vec<Path>,
}

pub(crate) struct Layer {
    pub(crate) policy: Policy,
    /// Where the attribute's name stands.
    span: Span,
}

impl Stack {
    /// Reads the topmost attribute's arguments, and takes its siblings off the function.
    ///
    /// Input:  `deadline`, `"2s"`, and a function with `#[inline] #[retry(max = 3)]`
    /// Output: `deadline("2s")`, `retry(max = 3)`; the function keeps `#[inline]`
    pub(crate) fn take(
        name: &'static str,
        args: TokenStream,
        func: &mut Func,
        mistakes: &mut Mistakes,
    ) -> Self {
        if func.is_expanded() {
            mistakes.note(syn::Error::new(
                func.name().span().located_at(Span::call_site()),
                format_args!(
                    "`{name}` came too late to take its place in the stack: call it `{name}` or \
                     `steadfast::{name}`"
                ),
            ));
        }
        let mut args = Args::parse(name, func.as_seen_inside(args), mistakes);
        let own_krate = args.take_crate(mistakes);
        let mut read = vec![(name, func.name().span().located_at(Span::call_site()), args)];
        let mut krates: Vec<Path> = own_krate.into_iter().collect();
        let mut siblings = Vec::new();
        for attr in std::mem::take(&mut func.attrs) {
            match sibling(&attr, krates.first()) {
                None => func.attrs.push(attr),
                Some(name) => {
                    let written = func.as_seen_inside(arguments(name, &attr, mistakes));
                    let mut args = Args::parse(name, written, mistakes);
                    krates.extend(args.take_crate(mistakes));
                    read.push((name, attr.path().span(), args));
                    siblings.push(attr.path().clone());
                }
            }
        }
        let krate = one_krate(krates, mistakes);
        let layers = read
            .into_iter()
            .map(|(name, span, args)| Layer {
                policy: Policy::read(name, args, func, mistakes),
                span,
            })
            .collect();
        let mut stack = Self { layers, krate, siblings };
        stack.check_order(mistakes);
        stack.leave_time_to_fall_back();
        stack
    }

    /// Notes each order that defeats a policy.
    fn check_order(&self, mistakes: &mut Mistakes) {
        let mut above: Vec<&'static str> = Vec::new();
        let mut outer: Option<(usize, &Deadline)> = None;
        for (at, Layer { policy, span }) in self.layers.iter().enumerate() {
            let name = policy.name();
            if let Policy::Fallback(fallback) = policy {
                let refuses = self.layers[at + 1..].iter().any(|layer| layer.policy.refuses());
                fallback.check_below(refuses, mistakes);
            }
            let in_transaction = self.layers[..at].iter().any(|layer| {
                matches!(&layer.policy, Policy::Idempotent(policy) if policy.is_in_a_transaction())
            });
            if in_transaction && matches!(policy, Policy::Retry(_)) {
                mistakes.note(syn::Error::new(
                    *span,
                    "a failed statement fails the whole transaction, and no attempt after it can succeed: \
                     put `retry` on the function that begins it",
                ));
            } else if let Some(message) = policy.wrong_below(&above) {
                mistakes.note(syn::Error::new(*span, message));
            }
            if let Policy::Deadline(deadline) = policy {
                if let Some((at, outer)) = outer {
                    check_deadlines(outer, &above[at + 1..], deadline, *span, mistakes);
                }
                outer = Some((above.len(), deadline));
            }
            above.push(name);
        }
    }

    /// A fallback below a deadline is to be served when the time is over. So the call below it ends
    /// earlier, by a deadline of its own if the user has given it none.
    ///
    /// Input:  `deadline("2s", reserve = "50ms")`, `fallback(..)`, `retry`
    /// Output: `deadline("2s")`, `fallback(..)`, a bare deadline that is 50 ms early, `retry`
    fn leave_time_to_fall_back(&mut self) {
        let is_deadline = |layer: &Layer| matches!(layer.policy, Policy::Deadline(_));
        let is_fallback = |layer: &Layer| matches!(layer.policy, Policy::Fallback(_));
        let Some(fallback) = self.layers.iter().position(is_fallback) else { return };
        let Some(above) = self.layers[..fallback].iter().rposition(is_deadline) else { return };
        let whole_call = self.layers[fallback..]
            .iter()
            .take_while(|layer| !matches!(layer.policy, Policy::Retry(_)))
            .position(is_deadline);
        let below = fallback + whole_call.unwrap_or(1);
        if whole_call.is_none() {
            let policy = Policy::Deadline(Box::new(Deadline::inherited()));
            let span = self.layers[fallback].span;
            self.layers.insert(below, Layer { policy, span });
        }
        let (outer, inner) = self.layers.split_at_mut(below);
        if let (Policy::Deadline(outer), Policy::Deadline(inner)) =
            (&mut outer[above].policy, &mut inner[0].policy)
        {
            outer.leave_time_to_fall_back(inner);
        }
    }

    /// The arguments that each attempt takes as its own, besides those that are `mut`.
    pub(crate) fn clones(&self) -> impl Iterator<Item = &Ident> {
        self.layers.iter().flat_map(|layer| match &layer.policy {
            Policy::Retry(retry) => retry.clones(),
            _ => &[],
        })
    }

    /// Where `retry` stands, if it does: what it repeats is told of there, and not at the topmost
    /// attribute, where all that we write would be.
    pub(crate) fn retry(&self) -> Option<Span> {
        self.place_of(|policy| matches!(policy, Policy::Retry(_)))
    }

    /// Where the policy stands that needs the arguments after the body has run once, if one does.
    pub(crate) fn reuse(&self) -> Option<Span> {
        self.retry().or_else(|| {
            self.place_of(|policy| matches!(policy, Policy::Fallback(f) if f.reuses_arguments()))
        })
    }

    /// Whether there is something to serve at once when the call fails.
    pub(crate) fn falls_back(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer.policy, Policy::Fallback(_)))
    }

    /// Whether a policy asks what those below it have refused, or made again.
    pub(crate) fn asks_for_refusals(&self) -> bool {
        let below = |at: usize| self.layers[at + 1..].iter().map(|layer| &layer.policy);
        self.layers.iter().enumerate().any(|(at, layer)| match &layer.policy {
            Policy::CircuitBreaker(_) => below(at).any(|p| matches!(p, Policy::Deadline(_))),
            Policy::Fallback(_) => below(at).any(Policy::refuses),
            Policy::Idempotent(_) => {
                below(at).any(|policy| policy.refuses() || matches!(policy, Policy::Retry(_)))
            }
            _ => false,
        })
    }

    fn place_of(&self, wanted: impl Fn(&Policy) -> bool) -> Option<Span> {
        let layer = self.layers.iter().find(|layer| wanted(&layer.policy))?;
        Some(layer.span.resolved_at(Span::call_site()))
    }
}

/// Notes what is wrong with a deadline below another one.
fn check_deadlines(
    outer: &Deadline,
    between: &[&str],
    inner: &Deadline,
    span: Span,
    mistakes: &mut Mistakes,
) {
    let message = if between.contains(&"retry") {
        "this bounds each attempt, and must be shorter than the {} that the deadline above `retry` \
         gives to all of them"
    } else if between.contains(&"fallback") {
        "this bounds the call without its fallback, and must be shorter than the {} that the \
         deadline above `fallback` gives to both"
    } else {
        let message =
            "two deadlines without a `retry` or `fallback` between them: keep the shorter one";
        return mistakes.note(syn::Error::new(span, message));
    };
    let (Some(outer), Some(inner)) = (&outer.limit, &inner.limit) else { return };
    if let (Some(total), Some(part)) = (outer.known(), inner.known()) {
        if part >= total {
            mistakes.at(inner.expr(), message.replace("{}", &format!("{total:?}")));
        }
    }
}

/// The policy that an attribute names, if it is one of ours.
///
/// A bare `retry` is taken for ours, and the expansion makes rustc check that it is. A longer path
/// is ours if it begins with the name of this crate.
fn sibling(attr: &Attribute, krate: Option<&Path>) -> Option<&'static str> {
    let path = attr.path();
    let last = &path.segments.last()?.ident;
    let name = NAMES.iter().copied().find(|name| last == name)?;
    let mut parent = path.clone();
    parent.segments.pop();
    parent.segments.pop_punct();
    parent.leading_colon = None;
    let parent = parent.to_token_stream().to_string();
    let krate = krate.map(|krate| {
        let mut krate = krate.clone();
        krate.leading_colon = None;
        krate.to_token_stream().to_string()
    });
    (parent.is_empty() || parent == "steadfast" || Some(parent) == krate).then_some(name)
}

/// What stands in an attribute's parentheses.
fn arguments(name: &str, attr: &Attribute, mistakes: &mut Mistakes) -> TokenStream {
    match &attr.meta {
        Meta::Path(_) => TokenStream::new(),
        Meta::List(list) => list.tokens.clone(),
        Meta::NameValue(pair) => {
            let value = pair.value.to_token_stream();
            mistakes.at(
                &pair.value,
                format_args!("`{name}` takes its arguments in parentheses: `#[{name}({value})]`"),
            );
            value
        }
    }
}

/// The crate that the whole stack names.
fn one_krate(krates: Vec<Path>, mistakes: &mut Mistakes) -> Path {
    let mut krates = krates.into_iter();
    let Some(first) = krates.next() else { return parse_quote!(::steadfast) };
    for other in krates {
        if other.to_token_stream().to_string() != first.to_token_stream().to_string() {
            mistakes.at(
                &other,
                format_args!(
                    "the stack names another `crate` above: write `crate = {}` here too",
                    first.to_token_stream().to_string().replace(' ', "")
                ),
            );
        }
    }
    first
}
