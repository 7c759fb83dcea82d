//! What the function's arguments bind, and how each attempt and each block gets it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, Pat, ReceiverKind, Signature, Type, parse_quote};

use crate::{
    args::Mistakes,
    tokens::{ASYNC_TRAIT_SELF, contains, mentions, take_muts},
};

#[derive(Clone)]
pub(crate) struct Arguments {
    /// All that the patterns bind.
    names: Vec<Ident>,
    /// Those of them, and `self`, that own something, in written order.
    owners: Vec<Ident>,
    muts: Vec<MutArgument>,
    /// How each is handed on to another function.
    handed: Vec<Handed>,
}

/// How an argument is handed on to another function.
#[derive(Clone)]
pub(crate) enum Handed {
    This {
        mutably: bool,
        owned: bool,
    },
    Named {
        name: Ident,
        mutably: bool,
        owned: bool,
    },
    /// Not by one name, or not always there.
    Nameless(TokenStream),
}

/// An argument that each attempt can have afresh, to do with as it likes.
#[derive(Clone)]
pub(crate) struct MutArgument {
    /// The `cfg`s and lints that stand before it.
    pub(crate) attrs: Vec<Attribute>,
    /// The user's own `mut`, so that `unused_mut` is told where it stands.
    pub(crate) mutability: TokenTree,
    pub(crate) name: Ident,
}

impl Arguments {
    pub(crate) fn of(sig: &Signature) -> Self {
        let (mut names, mut owners, mut handed) = (Vec::new(), Vec::new(), Vec::new());
        for argument in &sig.inputs {
            match argument {
                FnArg::Receiver(receiver) => {
                    let mutably = matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)));
                    let owned = !matches!(receiver.kind, ReceiverKind::Reference(..));
                    handed.push(Handed::This { mutably, owned });
                    if owned {
                        owners.push(Ident::from(receiver.self_token));
                    }
                }
                FnArg::Typed(argument) => {
                    let has_cfg = argument.attrs.iter().any(|attr| attr.path().is_ident("cfg"));
                    handed.push(match &*argument.pat {
                        Pat::Ident(pattern) if pattern.by_ref.is_none() && !has_cfg => {
                            let mutably = matches!(&*argument.ty, Type::Reference(r) if r.mutability.is_some());
                            let owned = !matches!(*argument.ty, Type::Reference(_));
                            Handed::Named { name: pattern.ident.clone(), mutably, owned }
                        }
                        pattern => Handed::Nameless(pattern.to_token_stream()),
                    });
                    let first = names.len();
                    bound(&argument.pat, &mut names);
                    if !matches!(*argument.ty, Type::Reference(_)) && argument.attrs.is_empty() {
                        owners.extend_from_slice(&names[first..]);
                    }
                }
            }
        }
        Self { names, owners, muts: Vec::new(), handed }
    }

    pub(crate) fn names(&self) -> &[Ident] {
        &self.names
    }

    pub(crate) fn handed(&self) -> impl Iterator<Item = &Handed> {
        self.handed.iter()
    }

    /// Whether an expression borrows from an argument that the body may need for itself: an owned
    /// one, or one behind a `&mut`.
    pub(crate) fn are_claimed_by(&self, expr: &impl ToTokens) -> bool {
        let tokens = expr.to_token_stream();
        let claimed = |name: &Ident| contains(tokens.clone(), &name.to_string());
        self.owners.iter().any(claimed)
            || self.handed.iter().any(|handed| match handed {
                Handed::Named { name, mutably: true, .. } => claimed(name),
                Handed::This { mutably: true, .. } => {
                    ["self", ASYNC_TRAIT_SELF].iter().any(|this| contains(tokens.clone(), this))
                }
                _ => false,
            })
    }

    pub(crate) fn muts(&self) -> &[MutArgument] {
        &self.muts
    }

    /// Fixes the order in which an `async move` block captures, and so that in which it drops: as
    /// the plain function does, the last argument first.
    ///
    /// Input:  a block that uses the owners `a` and `b`
    /// Output: `let _ = (&b, &a);`
    pub(crate) fn capture(&self, block: &TokenStream) -> TokenStream {
        // A `_guard` is there to be dropped in its place, used or not.
        let used = |owner: &&Ident| {
            let name = owner.to_string();
            name.starts_with('_') || mentions(block.clone(), &name)
        };
        let owners = self.owners.iter().rev().filter(used).collect::<Vec<_>>();
        if owners.is_empty() {
            return TokenStream::new();
        }
        quote! {
            #[allow(clippy::used_underscore_binding)]
            let _ = (#(&#owners,)*);
        }
    }

    /// Notes the `mut` arguments, and takes the `mut`s off where the body cannot need them.
    ///
    /// Input:  `async fn f(mut a: A, (mut b, c): (B, C)) ..`
    /// Output: `async fn f(a: A, (b, c): (B, C)) ..`, with `a` and `b` noted
    pub(crate) fn take_muts(
        &mut self,
        sig: &mut Signature,
        whole_body: bool,
        policy: &str,
        mistakes: &mut Mistakes,
    ) {
        for argument in &mut sig.inputs {
            match argument {
                FnArg::Receiver(receiver) => {
                    // A pinned reference is `mut` so that it can be borrowed anew, and is.
                    let pinned = matches!(&receiver.kind, ReceiverKind::Typed(_, ty) if is_pin(ty));
                    if let (Some(mutability), false) = (&receiver.mutability, pinned) {
                        mistakes.at(mutability, mut_self(policy));
                    }
                }
                FnArg::Typed(argument) => {
                    let (pattern, taken) = take_muts(argument.pat.to_token_stream());
                    if taken.is_empty() {
                        continue;
                    }
                    let attrs = argument.attrs.clone();
                    if whole_body {
                        *argument.pat = Pat::Verbatim(pattern);
                        argument.attrs.retain(|attr| attr.path().is_ident("cfg"));
                    } else {
                        // Statements before the future may need the `mut`, or not.
                        argument.attrs.push(parse_quote!(#[allow(unused_mut)]));
                    }
                    self.add_muts(&attrs, taken);
                }
            }
        }
    }

    /// Notes the `mut` arguments that `#[async_trait]` has moved into declarations.
    pub(crate) fn add_async_trait_muts(
        &mut self,
        sig: &Signature,
        taken: Vec<(TokenTree, Ident)>,
        mut_self_at: Option<&Ident>,
        policy: &str,
        mistakes: &mut Mistakes,
    ) {
        let kind = sig.receiver().map(|receiver| &receiver.kind);
        let borrowed = match kind {
            Some(ReceiverKind::Typed(_, ty)) => is_pin(ty),
            Some(kind) => matches!(kind, ReceiverKind::Reference(..)),
            None => false,
        };
        if let (Some(name), false) = (mut_self_at, borrowed) {
            mistakes.at(name, mut_self(policy));
        }
        self.add_muts(&[], taken);
    }

    fn add_muts(&mut self, attrs: &[Attribute], taken: Vec<(TokenTree, Ident)>) {
        let muts = taken.into_iter().map(|(mutability, name)| MutArgument {
            attrs: attrs.to_vec(),
            mutability,
            name,
        });
        self.muts.extend(muts);
    }

    pub(crate) fn is_mut(&self, name: &Ident) -> bool {
        self.muts.iter().any(|argument| argument.name == *name)
    }
}

fn is_pin(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Pin")
}

fn mut_self(policy: &str) -> String {
    format!(
        "`mut self` cannot start afresh in every attempt of `#[{policy}]`: take `self` and clone it \
         in the body"
    )
}

/// All names that a pattern binds.
fn bound(pattern: &Pat, names: &mut Vec<Ident>) {
    match pattern {
        Pat::Ident(pattern) => {
            names.push(pattern.ident.clone());
            if let Some((_, inner)) = &pattern.subpat {
                bound(inner, names);
            }
        }
        Pat::Paren(pattern) => bound(&pattern.pat, names),
        Pat::Reference(pattern) => bound(&pattern.pat, names),
        Pat::Slice(pattern) => pattern.elems.iter().for_each(|inner| bound(inner, names)),
        Pat::Struct(pattern) => pattern.fields.iter().for_each(|field| bound(&field.pat, names)),
        Pat::Tuple(pattern) => pattern.elems.iter().for_each(|inner| bound(inner, names)),
        Pat::TupleStruct(pattern) => pattern.elems.iter().for_each(|inner| bound(inner, names)),
        _ => {}
    }
}
