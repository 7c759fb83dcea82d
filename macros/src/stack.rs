//! Takes all steadfast attributes off one function, in order, and checks them against each other.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Meta, Path, parse_quote, spanned::Spanned};

use crate::{
    args::{Args, Mistakes},
    func::Func,
    policy::{NAMES, Policy},
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
        let mut args = Args::parse(name, args, mistakes);
        let own_krate = args.take_crate(mistakes);
        let mut read = vec![(name, func.name().span().located_at(Span::call_site()), args)];
        let mut krates: Vec<Path> = own_krate.into_iter().collect();
        let mut siblings = Vec::new();
        for attr in std::mem::take(&mut func.attrs) {
            match sibling(&attr, krates.first()) {
                None => func.attrs.push(attr),
                Some(name) => {
                    let mut args = Args::parse(name, arguments(name, &attr, mistakes), mistakes);
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
        let stack = Self { layers, krate, siblings };
        stack.check_order(mistakes);
        stack
    }

    /// Notes each order that defeats a policy.
    fn check_order(&self, mistakes: &mut Mistakes) {
        let mut retry = false;
        let mut deadlines = Vec::new();
        for layer in &self.layers {
            match &layer.policy {
                Policy::Retry(_) if retry => mistakes.note(syn::Error::new(
                    layer.span,
                    "a second `retry` on one function multiplies the attempts: keep one",
                )),
                Policy::Retry(_) => retry = true,
                Policy::Deadline(deadline) => {
                    if retry && deadline.is_bare {
                        mistakes.note(syn::Error::new(
                            layer.span,
                            "below `retry` a deadline bounds each attempt: give it a limit, as in \
                             `#[deadline(\"1s\")]`",
                        ));
                    }
                    deadlines.push((retry, layer.span, deadline));
                }
            }
        }
        for pair in deadlines.windows(2) {
            let [(above, _, outer), (below, span, inner)] = pair else { continue };
            if above == below {
                mistakes.note(syn::Error::new(
                    *span,
                    "two deadlines without a `retry` between them: keep the shorter one",
                ));
                continue;
            }
            let limits = (outer.limit.as_ref(), inner.limit.as_ref());
            let (Some(outer), Some(inner)) = limits else { continue };
            if let (Some(total), Some(attempt)) = (outer.known(), inner.known()) {
                if attempt >= total {
                    mistakes.at(
                        inner.expr(),
                        format_args!(
                            "this bounds each attempt, and must be shorter than the {total:?} that \
                             the deadline above `retry` gives to all of them"
                        ),
                    );
                }
            }
        }
    }

    /// The arguments that each attempt takes as its own, besides those that are `mut`.
    pub(crate) fn clones(&self) -> impl Iterator<Item = &Ident> {
        self.layers.iter().flat_map(|layer| match &layer.policy {
            Policy::Retry(retry) => retry.clones(),
            Policy::Deadline(_) => &[],
        })
    }

    /// Where `retry` stands, if it does: what it repeats is told of there, and not at the topmost
    /// attribute, where all that we write would be.
    pub(crate) fn retry(&self) -> Option<Span> {
        let retry = self.layers.iter().find(|layer| matches!(layer.policy, Policy::Retry(_)))?;
        Some(retry.span.resolved_at(Span::call_site()))
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
