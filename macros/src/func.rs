//! Reads the annotated function, and finds the future in it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, FnArg, ReceiverKind, ReturnType, Signature, Token, Visibility,
    ext::IdentExt,
    parse::{Parse, ParseStream},
};

use crate::{
    args::Mistakes,
    arguments::{Arguments, Handed},
    body::{Body, lift_inner_attributes, unwrap_invisible},
    tokens::{
        ASYNC_TRAIT_SELF, async_trait_type, borrows, contains, future_of, is_ident, is_punct,
        local, names_a_future, output_type, placed_at, renamed, take_muts, without_impl,
    },
};

/// A function, with its body unread but for the place where its future is.
///
/// The body stays the tokens that the user wrote: half-written code expands too, and the braces
/// keep their edition, which decides when the temporaries of a tail expression are dropped.
#[derive(Clone)]
pub(crate) struct Func {
    pub(crate) attrs: Vec<Attribute>,
    vis: Visibility,
    defaultness: Option<Ident>,
    sig: Signature,
    body: Body,
    /// The type of the outcome, and where it stands. `_` where it is not written.
    ret: TokenStream,
    arguments: Arguments,
}

impl Func {
    /// Reads a function, or gives back the item as it is.
    pub(crate) fn parse(
        policy: &str,
        item: TokenStream,
        mistakes: &mut Mistakes,
    ) -> Result<Self, TokenStream> {
        let written = match syn::parse2::<Written>(item.clone()) {
            Ok(written) => written,
            Err(mistake) => {
                mistakes.note(not_a_function(policy, &item).unwrap_or(mistake));
                return Err(item);
            }
        };
        let Some(group) = written.body else {
            mistakes.at(
                &written.sig.ident,
                format_args!("there is no body to run here: move `#[{policy}]` to the `impl`"),
            );
            return Err(item);
        };
        let Written { attrs, vis, defaultness, sig, .. } = written;
        let body = Body { path: Vec::new(), group };
        let mut func = Self {
            attrs,
            vis,
            defaultness,
            ret: TokenStream::new(),
            arguments: Arguments::of(&sig),
            sig,
            body,
        };
        func.find_future(policy, mistakes);
        Ok(func)
    }

    /// Finds the braces that hold the future's body, and the type of what it returns.
    fn find_future(&mut self, policy: &str, mistakes: &mut Mistakes) {
        if let Some(constness) = &self.sig.constness {
            mistakes.at(
                constness,
                format_args!("`#[{policy}]` needs a function that runs: drop `const`"),
            );
        }
        if let Some(abi) = &self.sig.abi {
            mistakes.at(
                abi,
                format_args!("`#[{policy}]` goes on async functions, and an `extern` one cannot be: annotate a function that it calls"),
            );
        }
        let output = match &self.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some(ty.to_token_stream()),
        };
        if self.sig.asyncness.is_some() {
            match output {
                Some(output) => self.ret = without_impl(output),
                None => self.returns_nothing(mistakes),
            }
            return;
        }
        let names_a_future = output.as_ref().is_some_and(names_a_future);
        match future_of(&self.body.group) {
            Some(path) => {
                self.body.path = path;
                for token in self.body.returns_before_the_future() {
                    mistakes.at(
                        &token,
                        format_args!(
                            "this goes past `#[{policy}]`, which holds the block at the end: return from in there"
                        ),
                    );
                }
                let declared = async_trait_type(&self.body.inner());
                if let Some((index, ty)) = declared {
                    self.body.path.push(index);
                    self.ret = without_impl(ty);
                } else {
                    self.ret = output.and_then(output_type).map_or_else(|| quote!(_), without_impl);
                }
            }
            None if names_a_future => mistakes.at(
                &self.sig.ident,
                format_args!(
                    "`#[{policy}]` cannot see the future in here: end the body with `async move {{ .. }}` \
                     or `Box::pin(async move {{ .. }})`"
                ),
            ),
            _ if contains(self.body.group.stream(), "block_on") => mistakes.at(
                &self.sig.fn_token,
                format_args!(
                    "an attribute above has made `{}` a sync function: put `#[{policy}]` above it",
                    self.sig.ident
                ),
            ),
            _ if self.sig.constness.is_none() && self.sig.abi.is_none() => mistakes.at(
                &self.sig.fn_token,
                format_args!("`#[{policy}]` needs an async function: write `async fn {}`", self.sig.ident),
            ),
            _ => {}
        }
    }

    fn returns_nothing(&mut self, mistakes: &mut Mistakes) {
        self.ret = quote!(());
        mistakes.at(
            &self.sig.ident,
            format_args!(
                "`{}` returns nothing, so nothing tells success from failure: return a `Result`",
                self.sig.ident
            ),
        );
    }

    /// Makes every `mut` argument one that each attempt can have afresh.
    pub(crate) fn take_mut_arguments(&mut self, policy: &str, mistakes: &mut Mistakes) {
        let whole_body = self.body.nothing_before_the_future();
        self.arguments.take_muts(&mut self.sig, whole_body, policy, mistakes);
        self.take_async_trait_muts(policy, mistakes);
    }

    /// `#[async_trait]` has moved the `mut` of an argument into a `let` before the body.
    ///
    /// Input:  `Box::pin(async move { let mut a = a; let __ret: T = { .. }; __ret })`
    /// Output: `Box::pin(async move { let a = a; let __ret: T = { .. }; __ret })`, with `a` noted
    fn take_async_trait_muts(&mut self, policy: &str, mistakes: &mut Mistakes) {
        let way = self.body.path.clone();
        let Some((&last, way)) = way.split_last() else { return };
        let outer = self.body.at(way);
        if async_trait_type(&outer).is_none() {
            return;
        }
        let tokens: Vec<_> = outer.stream().into_iter().collect();
        // The type edge and the body itself are left alone.
        let (before, after) = tokens.split_at(last);
        let start = before.iter().rposition(|token| is_ident(token, "__ret")).unwrap_or(0);
        let (declarations, ret) = before.split_at(start);
        let mut_self = declarations.windows(2).find_map(|pair| match pair {
            [mutability, TokenTree::Ident(name)] if is_ident(mutability, "mut") => {
                (name == ASYNC_TRAIT_SELF).then_some(name)
            }
            _ => None,
        });
        let (bare, names) = take_muts(declarations.iter().cloned().collect());
        self.arguments.add_async_trait_muts(&self.sig, names, mut_self, policy, mistakes);
        let rebuilt = bare.into_iter().chain(ret.iter().chain(after).cloned()).collect();
        self.body.replace(way, rebuilt);
        // Each `mut` that is gone moved the body up.
        if let Some((index, _)) = async_trait_type(&self.body.at(way)) {
            self.body.path = way.iter().copied().chain([index]).collect();
        }
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.sig.ident
    }

    /// The type of the outcome, for an annotation.
    pub(crate) fn ret(&self) -> &TokenStream {
        &self.ret
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.sig.receiver().is_some()
    }

    /// The first `&` of the outcome's type.
    pub(crate) fn borrow_in_the_outcome(&self) -> Option<TokenTree> {
        self.ret.clone().into_iter().find(|token| is_punct(token, '&'))
    }

    /// What stands for the outcome in a message: the return type, or the name where none is written.
    pub(crate) fn outcome(&self) -> TokenStream {
        if self.ret.is_empty() { self.sig.ident.to_token_stream() } else { self.ret.clone() }
    }

    /// Lets `?` in an async block know where to go; it takes no hint from outside.
    ///
    /// Input:  `Result<T, E>`
    /// Output: `if let Some(never) = None::<Result<T, E>> { return never; }`
    pub(crate) fn type_edge(&self, rt: &TokenStream) -> TokenStream {
        let ret = &self.ret;
        let never = local("__steadfast_never");
        // What says that the body's type is another points here.
        let edge = placed_at(&self.outcome().into_iter().next(), &quote!(#never));
        quote! {
            if let #rt::Option::Some(#never) = #rt::Option::None::<#ret> {
                return #edge;
            }
        }
    }

    /// What an `async move` block of ours names first, so that it drops as the plain function does.
    ///
    /// The user's own `async move` block has captured in its own order, and ours keeps to that.
    pub(crate) fn capture(&self, block: &TokenStream) -> TokenStream {
        if self.body.path.is_empty() || self.is_async_trait() {
            self.arguments.capture(block)
        } else {
            TokenStream::new()
        }
    }

    /// Whether `#[async_trait]` has been here before.
    pub(crate) fn is_async_trait(&self) -> bool {
        let way = self.body.path.split_last();
        way.is_some_and(|(_, way)| async_trait_type(&self.body.at(way)).is_some())
    }

    /// An attribute's arguments, as they read inside the body: `#[async_trait]` has moved `self`.
    ///
    /// Input:  `with = self.breaker`
    /// Output: `with = __self.breaker`, under `#[async_trait]`
    pub(crate) fn as_seen_inside(&self, arguments: TokenStream) -> TokenStream {
        if self.is_async_trait() { renamed(arguments, "self", ASYNC_TRAIT_SELF) } else { arguments }
    }

    /// The arguments, as they are handed on to a function whose path stands there. What is behind a
    /// `&mut` is borrowed anew, so that it can be handed to another one after that.
    ///
    /// Input:  `&mut self, shop: &str, items: &mut Vec<u8>`
    /// Output: `(&mut *self, shop, &mut *items,)`
    pub(crate) fn handed_on(&self, at: Span) -> Group {
        self.handed(at, |name, _| name.to_token_stream())
    }

    /// The same for a function that is called before the body, which still needs what it owns.
    ///
    /// Input:  `&self, order: Order`
    /// Output: `(self, { let lent = Clone::clone(&order); lent },)`
    pub(crate) fn lent_to(&self, at: Span, rt: &TokenStream) -> Group {
        self.handed(at, |name, owned| {
            if owned {
                quote_spanned!(at=> #rt::Clone::clone(&#name))
            } else {
                name.to_token_stream()
            }
        })
    }

    fn handed(&self, at: Span, by_value: impl Fn(&Ident, bool) -> TokenStream) -> Group {
        let this = if self.is_async_trait() { ASYNC_TRAIT_SELF } else { "self" };
        let arguments = self.arguments.handed().map(|handed| {
            let (name, mutably, owned) = match handed {
                Handed::Named { name, mutably, owned } => (name.clone(), *mutably, *owned),
                Handed::This { mutably, owned } => {
                    (Ident::new(this, Span::call_site()), *mutably, *owned)
                }
                Handed::Nameless(_) => (Ident::new(this, Span::call_site()), false, false),
            };
            let name = Ident::new(&name.to_string(), at.resolved_at(name.span()));
            if mutably { quote_spanned!(at=> &mut *#name) } else { by_value(&name, owned) }
        });
        let mut group = Group::new(Delimiter::Parenthesis, quote!(#(#arguments,)*));
        group.set_span(at);
        group
    }

    /// The arguments that borrow from the caller: the types, or the receiver.
    pub(crate) fn borrowed_arguments(&self) -> Vec<TokenStream> {
        let borrowed = |argument: &FnArg| match argument {
            FnArg::Receiver(receiver) => {
                let borrows = matches!(receiver.kind, ReceiverKind::Reference(..));
                borrows.then(|| receiver.to_token_stream())
            }
            FnArg::Typed(argument) => {
                let ty = argument.ty.to_token_stream();
                borrows(&ty).then_some(ty)
            }
        };
        self.sig.inputs.iter().filter_map(borrowed).collect()
    }

    pub(crate) fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// The braces that hold the future's body.
    pub(crate) fn inner(&self) -> Group {
        self.body.inner()
    }

    /// Whether a stack has been expanded into this body already.
    pub(crate) fn is_expanded(&self) -> bool {
        contains(self.body.group.stream(), MARKER)
    }

    /// The function with another body for its future.
    pub(crate) fn with_inner(mut self, inner: TokenStream) -> TokenStream {
        let way = self.body.path.clone();
        self.body.replace(&way, inner);
        self.into_tokens()
    }

    pub(crate) fn body(&self) -> &Group {
        &self.body.group
    }

    /// The function with another body.
    pub(crate) fn with_body(mut self, group: Group) -> TokenStream {
        self.body.group = group;
        self.into_tokens()
    }

    fn into_tokens(self) -> TokenStream {
        let Self { attrs, vis, defaultness, sig, body, .. } = self;
        let group = body.group;
        quote!(#(#attrs)* #vis #defaultness #sig #group)
    }
}

/// Stands in every expanded body, so that an attribute which comes after can tell.
pub(crate) const MARKER: &str = "__STEADFAST_SITE";

/// What is written: a function with a body or without.
struct Written {
    attrs: Vec<Attribute>,
    vis: Visibility,
    defaultness: Option<Ident>,
    sig: Signature,
    body: Option<Group>,
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let ahead = input.fork();
        let is_default = Ident::parse_any(&ahead).is_ok_and(|ident| ident == "default");
        let defaultness = if is_default { Some(input.call(Ident::parse_any)?) } else { None };
        let sig = input.parse()?;
        if input.parse::<Option<Token![;]>>()?.is_some() {
            return Ok(Self { attrs, vis, defaultness, sig, body: None });
        }
        let group = match input.parse::<TokenTree>()? {
            TokenTree::Group(group) => unwrap_invisible(group),
            other => return Err(syn::Error::new_spanned(other, "expected a function body")),
        };
        let (inner, group) = lift_inner_attributes(&group)?;
        attrs.extend(inner);
        Ok(Self { attrs, vis, defaultness, sig, body: Some(group) })
    }
}

/// Says what an item is that is not a function, where that is plain.
fn not_a_function(policy: &str, item: &TokenStream) -> Option<syn::Error> {
    const ITEMS: [&str; 11] = [
        "enum",
        "extern",
        "fn",
        "impl",
        "macro_rules",
        "mod",
        "static",
        "struct",
        "trait",
        "type",
        "use",
    ];
    let mut idents = item.clone().into_iter().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    });
    let first = idents.clone().next()?;
    let keyword = idents.find(|ident| ITEMS.iter().any(|k| ident == k)).unwrap_or(first);
    let message = match keyword.to_string().as_str() {
        "extern" | "fn" => return None,
        keyword @ ("impl" | "trait" | "mod") => format!(
            "`#[{policy}]` goes on a function: move it to each `async fn` in this `{keyword}`"
        ),
        keyword => {
            format!("`#[{policy}]` goes on an async function, and this `{keyword}` is not one")
        }
    };
    Some(syn::Error::new(keyword.span(), message))
}
