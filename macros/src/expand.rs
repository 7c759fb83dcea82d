//! Folds the stack around the body; on a mistake gives back the original function and the errors.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::{
    args::Mistakes,
    arguments::MutArgument,
    func::{Func, MARKER},
    policy::{Code, Context},
    stack::Stack,
    tokens::{like, shadowing},
};

/// Expands the topmost attribute of a function.
pub(crate) fn expand(name: &'static str, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let mut func = match Func::parse(name, item, &mut mistakes) {
        Ok(func) => func,
        Err(item) => return mistakes.into_error().map_or(item.clone(), |e| with_error(&item, &e)),
    };
    let stack = Stack::take(name, args, &mut func, &mut mistakes);
    let original = original(&func, &stack);
    if stack.retry().is_some() {
        func.take_mut_arguments("retry", &mut mistakes);
    }
    match mistakes.into_error() {
        Some(error) => with_error(&original, &error),
        None => around(func, &stack),
    }
}

/// Input:
/// ```text
/// async fn charge(order: &Order) -> Result<Receipt, E> { BODY }   // deadline("2s"), retry
/// ```
/// Output:
/// ```text
/// async fn charge(order: &Order) -> Result<Receipt, E> {
///     use ::steadfast::private::v1 as __steadfast;
///     static __STEADFAST_SITE: Site = Site::new("shop::charge");
///     const __STEADFAST_DEADLINE1: Deadline = Deadline::new().limit(Duration::new(2, 0));
///     const __STEADFAST_RETRY0: Retry = Retry::new();
///     pin!(within(|| &DEADLINE, async move { .. loop { .. async { BODY } .. } }, ..)).await
/// }
/// ```
fn around(func: Func, stack: &Stack) -> TokenStream {
    let (krate, rt) = (&stack.krate, quote!(__steadfast));
    let mut cx = Context {
        func: &func,
        rt: rt.clone(),
        setup: TokenStream::new(),
        depth: 0,
        reuse: stack.reuse(),
        falls_back: stack.falls_back(),
        refusals: stack.asks_for_refusals(),
        gate: None,
    };
    let mut code = Code::Body(body(&cx, stack));
    for layer in stack.layers.iter().rev() {
        code = layer.policy.wrap(code, &mut cx);
        cx.depth += 1;
    }
    let mut statements = code.into_statements(&rt);
    if cx.refusals {
        // A reference, since a block that takes all by value must leave it to the others.
        cx.declare_first(quote!(let __steadfast_refusals = &#rt::Refusals::new();));
    }
    if cx.refusals || cx.gate.is_some() {
        // In braces of ours: in those of a user's 2021, the future would outlive what it refers to.
        statements = quote!(#[allow(unused_braces)] { #statements });
    }
    let setup = cx.setup;
    let siblings = siblings(stack);
    let marker = format_ident!("{MARKER}");
    let name = func.name().to_string();
    let site = quote! {
        static #marker: #rt::Site =
            #rt::Site::new(#rt::concat!(#rt::module_path!(), "::", #name));
    };
    func.with_inner(quote! {
        use #krate::private::v1 as #rt;
        #siblings
        #site
        #setup
        #statements
    })
}

/// Input:  `{ BODY }`, with an argument `mut a`
/// Output: `async { <type edge> let mut a = a; { BODY } }`
///
/// Under a `retry` or a `fallback` the block is not `move`: the compiler captures each argument as the
/// body uses it, so that what is only read is borrowed, and nothing is cloned that the attribute does
/// not name.
fn body(cx: &Context<'_>, stack: &Stack) -> TokenStream {
    let arguments = cx.func.arguments();
    let edge = cx.func.type_edge(&cx.rt);
    let group = cx.func.inner();
    let body = quote!(#[allow(unused_braces)] #group);
    let Some(reuse) = stack.reuse() else {
        let captures = cx.func.capture(&body);
        return quote!(async move { #captures #edge #body });
    };
    let muts = arguments.muts().iter().map(
        |MutArgument { attrs, mutability, name }| quote!(#(#attrs)* let #mutability #name = #name;),
    );
    let clones = stack.clones().filter(|name| !arguments.is_mut(name));
    let clones = clones.map(|name| quote!(let #name = #name;));
    let own = muts.chain(clones).map(|own| shadowing(&own));
    quote_spanned!(reuse=> async { #edge #(#own)* #body })
}

/// The names of the siblings that were taken off, used once each: a `use` of one stays used, a name
/// that is not ours stays an error, and it stands where the user wrote it.
///
/// Input:  `retry`
/// Output: `use retry::__STEADFAST as _;`
fn siblings(stack: &Stack) -> TokenStream {
    let uses = stack.siblings.iter().map(|path| {
        // All of it is the user's to rustc, so that it stays in its place.
        let marker = quote_spanned!(path.span()=> ::__STEADFAST as _);
        quote! {
            #[allow(unused_imports)]
            use #path #marker;
        }
    });
    quote!(#(#uses)*)
}

/// The function as the user wrote it, less our attributes. It stays in the crate beside the errors,
/// so that the editor keeps working and nobody who calls it gets an error of their own.
fn original(func: &Func, stack: &Stack) -> TokenStream {
    let func = func.clone();
    let siblings = siblings(stack);
    let body = func.body();
    let tokens = body.stream();
    let body = like(body, quote!(#siblings #tokens));
    func.with_body(body)
}

fn with_error(item: &TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#item #error)
}
