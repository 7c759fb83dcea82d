//! `#[idempotent]`: keys, checks, expansion.

use std::{mem::take, time::Duration};

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprTuple, Lifetime, punctuated::Punctuated, spanned::Spanned, token::Paren};

use self::{
    check::check_detach,
    interrupted::{Interrupted, on_interrupted},
    keys::{
        CACHE_ERR, DETACH, FINGERPRINT, FRESH_KEY, KEY, KEYS, LEASE, MAX_INTERRUPTIONS,
        ON_DUPLICATE, ON_STORE_ERROR, SCOPE, STORE, TENANT, TTL, WAIT, WHEN,
    },
    transaction::{Transaction, check_forgotten},
};
use super::{Code, Context};
use crate::{
    args::{Arg, Args, Key, Mistakes},
    func::Func,
    tokens::{local, placed_at},
    value::{self, Place, Setting, borrowed, callable, expression, keyed, place},
};

mod check;
mod interrupted;
mod keys;
mod transaction;

const KEY_STORE: Place = Place {
    key: &STORE,
    literal: "`store` takes a `Store` by name: `static ORDERS: LazyLock<Store> = ..` and \
              `store = ORDERS`",
    made: "a store made for the call has seen no other: make it a `static LazyLock<Store>` and name that",
};

const ON_DUPLICATES: &[(&str, &str)] = &[("reject", "Reject"), ("wait", "Wait")];
const ON_STORE_ERRORS: &[(&str, &str)] = &[("fail", "Fail"), ("run", "Run")];

type Given<T> = Option<(Arg, Setting<T>)>;

pub(crate) struct Idempotent {
    key: Option<Expr>,
    tenant: Option<Expr>,
    fingerprint: Option<Expr>,
    scope: Option<Expr>,
    store: Option<Expr>,
    /// In whose transaction the key is kept.
    tx: Option<Transaction>,
    ttl: Given<Duration>,
    lease: Given<Duration>,
    on_duplicate: Given<Ident>,
    wait: Given<Duration>,
    on_interrupted: Option<(Arg, Interrupted)>,
    max_interruptions: Given<u32>,
    on_store_error: Given<Ident>,
    cache_err: Option<Expr>,
    when: Option<Expr>,
    detach: bool,
    /// Whether there is no key, and nothing that should have been one.
    pub(crate) is_keyless: bool,
    /// Whether it is a method, and nothing tells it from another type's of the same name.
    pub(crate) is_unscoped: bool,
}

impl Idempotent {
    pub(crate) fn read(mut args: Args, func: &Func, mistakes: &mut Mistakes) -> Self {
        tell_of_others(&mut args, mistakes);
        let key = args.take(&KEY, mistakes);
        let is_keyless = key.is_none();
        let tx = Transaction::read(&mut args, func, mistakes);
        let has_store = args.has(&STORE);
        let detach = args.take(&DETACH, mistakes);
        let fresh_key = args.take(&FRESH_KEY, mistakes);
        for (flag, key) in [(&detach, &DETACH), (&fresh_key, &FRESH_KEY)] {
            if let Some(flag) = flag {
                flag.flag(key, mistakes);
            }
        }
        let choice = |args: &mut Args, key: &'static Key, choices, mistakes: &mut Mistakes| {
            keyed(args, key, mistakes, |v, m| value::choice(key, choices, v, m))
        };
        let mut idempotent = Self {
            key: key.and_then(|arg| key_of(&arg, mistakes)),
            tenant: expression(&mut args, &TENANT, mistakes),
            fingerprint: expression(&mut args, &FINGERPRINT, mistakes),
            scope: expression(&mut args, &SCOPE, mistakes),
            store: place(&mut args, &KEY_STORE, mistakes),
            tx,
            ttl: keyed(&mut args, &TTL, mistakes, value::duration),
            lease: keyed(&mut args, &LEASE, mistakes, value::duration),
            on_duplicate: choice(&mut args, &ON_DUPLICATE, ON_DUPLICATES, mistakes),
            wait: keyed(&mut args, &WAIT, mistakes, value::duration),
            on_interrupted: on_interrupted(&mut args, mistakes),
            max_interruptions: keyed(&mut args, &MAX_INTERRUPTIONS, mistakes, |v, m| {
                value::whole_number(&MAX_INTERRUPTIONS, v, m)
            }),
            on_store_error: choice(&mut args, &ON_STORE_ERROR, ON_STORE_ERRORS, mistakes),
            cache_err: callable(&mut args, &CACHE_ERR, mistakes),
            when: callable(&mut args, &WHEN, mistakes),
            detach: detach.is_some(),
            // What nobody has taken was perhaps meant to be one, and is told of.
            is_keyless: is_keyless && args.is_empty(),
            is_unscoped: false,
        };
        idempotent.is_unscoped = idempotent.scope.is_none() && func.has_receiver();
        args.finish(KEYS, mistakes);
        idempotent.check(func, fresh_key.as_ref(), mistakes);
        if let Some(tx) = &idempotent.tx {
            tx.check(&idempotent, has_store, detach.as_ref(), mistakes);
        } else {
            check_forgotten(func, mistakes);
            if idempotent.detach {
                check_detach(func, mistakes);
            }
        }
        idempotent
    }

    /// Whether there is a `tx`, right or wrong.
    pub(crate) fn is_in_a_transaction(&self) -> bool {
        self.tx.is_some()
    }

    /// Input:  `future`, with `#[idempotent(key = order.id)]`
    /// Output:
    /// ```text
    /// let call = Call::new(&SITE, default_store(), key("shop::charge", &order.id), no_fingerprint());
    ///
    /// 'keyed: {
    ///     let run = match begin(&call, &IDEMPOTENT, None, refuse).await {
    ///         Ok(run) => run,
    ///         Err(outcome) => break 'keyed outcome,
    ///     };
    ///     let body = pin!(Some(future));
    ///     run.finish(body, None, by_fault, no_error).await
    /// }
    /// ```
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        if let Some(Transaction { name: Some(tx), .. }) = &self.tx {
            return self.wrap_in(tx, inner, cx);
        }
        let rt = cx.rt.clone();
        let inner_setup = if self.detach { take(&mut cx.setup) } else { TokenStream::new() };
        let policy = self.declare(cx);
        self.declare_call(cx);
        let outcome = cx.func.outcome();
        let run = local("__steadfast_run");
        let begin = placed_at(&outcome, &quote!(#rt::begin));
        let (errors, refuse) = (self.errors(&rt), cx.refuse());
        let entered = quote!(#begin(&__steadfast_call, &#policy, #errors, #refuse).await);
        let label = if self.detach { "'__steadfast_detached" } else { KEYED };
        let runs = self.runs(inner, cx, &Lifetime::new(label, Span::mixed_site()));
        let runs = if self.detach { detached(&runs, &inner_setup, cx) } else { runs };
        let label = Lifetime::new(KEYED, Span::mixed_site());
        Code::Statements(quote! {
            #label: {
                let #run = match #entered {
                    #rt::Result::Ok(#run) => #run,
                    #rt::Result::Err(#run) => break #label #run,
                };
                #runs
            }
        })
    }

    /// Finds out about an earlier run, if it has to, and runs the body.
    fn runs(&self, inner: Code, cx: &Context<'_>, label: &Lifetime) -> TokenStream {
        let rt = &cx.rt;
        let (run, body) = (local("__steadfast_run"), local("__steadfast_body"));
        let find_out = match &self.on_interrupted {
            Some((_, Interrupted::FindOut(path))) => {
                let truth = placed_at(path, &quote!(#rt::truth));
                let arguments = cx.func.lent_to(path.span(), rt);
                let (answer, ty) = (local("__steadfast_answer"), local("__steadfast_type"));
                let answered = placed_at(path, &quote!(#answer));
                quote! {
                    let #run = if #run.finds_out() {
                        let #ty = #run.outcome();
                        let #body = #rt::std_pin!(#rt::Option::Some(async {
                            let #answer = #path #arguments.await;
                            #truth(#ty, #answered)
                        }));
                        match #rt::Run::find_out(#run, #body).await {
                            #rt::Result::Ok(#run) => #run,
                            #rt::Result::Err(#run) => break #label #run,
                        }
                    } else {
                        #run
                    };
                }
            }
            _ => TokenStream::new(),
        };
        let (seen, when) = cx.when(self.when.as_ref());
        let finish = placed_at(&seen, &quote!(#rt::Run::finish));
        let error = local("__steadfast_error");
        // Called, and not passed: the bounds of a function that is passed are reported again at the await.
        let when = match &self.when {
            None => {
                // At the first token, as the whole would be told at its last.
                let there = placed_at(&seen.clone().into_iter().next(), &quote!(#error));
                quote!(|#error| #when(#there))
            }
            Some(_) => when,
        };
        let is_final = self.is_final(rt);
        let refusals = cx.refusals();
        let future = inner.into_future(cx);
        quote! {
            #find_out
            let #body = #rt::std_pin!(#rt::Option::Some(#future));
            #finish(#run, #body, #refusals, #when, #is_final).await
        }
    }

    /// How errors are kept, if they are.
    fn errors(&self, rt: &TokenStream) -> TokenStream {
        match &self.cache_err {
            None => quote!(#rt::Option::None),
            Some(path) => {
                let errors = placed_at(path, &quote!(#rt::Errors::new));
                quote!(#rt::Option::Some(#errors()))
            }
        }
    }

    /// Which of them are.
    fn is_final(&self, rt: &TokenStream) -> TokenStream {
        match &self.cache_err {
            None => quote!(#rt::no_error),
            Some(path @ Expr::Path(_)) => {
                let error = local("__steadfast_error");
                let arg = placed_at(path, &quote!(#error));
                quote!(|#error| #path(#arg))
            }
            Some(closure) => closure.to_token_stream(),
        }
    }

    /// The settings, in a constant if they are all known.
    fn declare(&self, cx: &mut Context<'_>) -> Ident {
        let rt = cx.rt.clone();
        let mut setters = TokenStream::new();
        let mut constant = true;
        for (arg, duration) in [&self.ttl, &self.lease, &self.wait].into_iter().flatten() {
            let (key, value) = (arg.key(), duration.duration_tokens(&rt));
            setters.extend(quote!(.#key(#value)));
            constant &= duration.known().is_some();
        }
        let choices = [(&self.on_duplicate, "OnDuplicate"), (&self.on_store_error, "OnStoreError")];
        for (given, ty) in choices {
            let Some((arg, choice)) = given else { continue };
            let (key, ty) = (arg.key(), Ident::new(ty, Span::call_site()));
            let value = match choice {
                Setting::Known(variant, _) => quote!(#rt::#ty::#variant),
                Setting::Later(expr) => expr.to_token_stream(),
            };
            setters.extend(quote!(.#key(#value)));
            constant &= choice.known().is_some();
        }
        if let Some((arg, most)) = &self.max_interruptions {
            let (key, value) = (arg.key(), most.expr());
            setters.extend(quote!(.#key(#value)));
            constant &= most.known().is_some();
        }
        if let Some((arg, interrupted)) = &self.on_interrupted {
            let key = arg.key();
            let variant = match interrupted {
                Interrupted::Known(variant) => variant.to_token_stream(),
                Interrupted::FindOut(_) => quote!(FindOut),
            };
            setters.extend(quote!(.#key(#rt::OnInterrupted::#variant)));
        }
        cx.declare("Idempotent", &quote!(#rt::Idempotent::new() #setters), constant)
    }

    /// What tells the call from others, evaluated once, before everything else.
    ///
    /// Input:  `key = order.id, tenant = account, store = self.store`
    /// Output:
    /// ```text
    /// let store = store(&self.store);
    /// let call = Call::new(&SITE, store, key_of_tenant("shop::charge", &account, &order.id), ..);
    /// ```
    fn declare_call(&self, cx: &mut Context<'_>) {
        let rt = cx.rt.clone();
        let Some(key) = &self.key else { return };
        let name = cx.func.name().to_string();
        let own_scope = || quote!(#rt::concat!(#rt::module_path!(), "::", #name));
        let scope = self.scope.as_ref().map_or_else(own_scope, ToTokens::to_token_stream);
        let arg = borrowed(key);
        let key = match &self.tenant {
            None => {
                let encoded = placed_at(key, &quote!(#rt::key));
                quote!(#encoded(#scope, #arg))
            }
            Some(tenant) => {
                let encoded = placed_at(key, &quote!(#rt::key_of_tenant));
                let tenant = borrowed(tenant);
                quote!(#encoded(#scope, #tenant, #arg))
            }
        };
        let fingerprint = match &self.fingerprint {
            None => quote!(#rt::no_fingerprint()),
            Some(print) => {
                let encoded = placed_at(print, &quote!(#rt::fingerprint));
                let print = borrowed(print);
                quote!(#encoded(#print))
            }
        };
        let Some((named, store)) = self.declared_store(cx) else { return };
        let call = if self.tx.is_some() { quote!(CallIn) } else { quote!(Call) };
        cx.declare_first(quote! {
            #named
            let __steadfast_store = #store;
            #[allow(clippy::needless_borrows_for_generic_args)]
            let __steadfast_call =
                #rt::#call::new(&__STEADFAST_SITE, __steadfast_store, #key, #fingerprint);
        });
    }

    /// The store as it is named, and as the call refers to it.
    fn declared_store(&self, cx: &Context<'_>) -> Option<(TokenStream, TokenStream)> {
        let rt = &cx.rt;
        if self.tx.is_some() {
            return self.declared_store_in(rt);
        }
        let Some(store) = &self.store else {
            return Some((TokenStream::new(), quote!(#rt::default_store())));
        };
        let lasting = placed_at(store, &quote!(#rt::store));
        let borrowed = borrowed(store);
        let named = placed_at(store, &quote!(__steadfast_named));
        // In a `let`, as what a function returns lasts no longer than the statement.
        let declared = quote!(let #named = #borrowed;);
        // The body may need for itself what the store is in.
        if cx.func.arguments().are_claimed_by(store) {
            Some((declared, quote!(&#rt::Store::clone(#lasting(#named)))))
        } else {
            Some((declared, quote!(#lasting(#named))))
        }
    }
}

const KEYED: &str = "'__steadfast_keyed";

/// Puts what runs on a task of its own, with the declarations of all below it: they outlive the call.
///
/// Input:  `runs`
/// Output: `detached(async move { let run = run.handed_over(refuse); runs }, refuse, &SITE).await`
fn detached(runs: &TokenStream, setup: &TokenStream, cx: &Context<'_>) -> TokenStream {
    let rt = &cx.rt;
    let run = local("__steadfast_run");
    let label = Lifetime::new("'__steadfast_detached", Span::mixed_site());
    let edge = cx.func.type_edge(rt);
    let captures = cx.func.capture(&quote!(#runs #setup));
    let refusals = cx.refusals.then(|| quote!(let __steadfast_refusals = &#rt::Refusals::new();));
    let refuse = cx.refuse();
    quote! {
        let #run = #run.handed_over(());
        #rt::detached(
            async move {
                #captures
                #edge
                #refusals
                let #run = #run.handed_over(#refuse);
                #setup
                #label: { #runs }
            },
            #refuse,
            &__STEADFAST_SITE,
        )
        .await
    }
}

/// `key = a` or `key(a, b)`.
fn key_of(arg: &Arg, mistakes: &mut Mistakes) -> Option<Expr> {
    match arg.values() {
        values @ [_, _, ..] => Some(Expr::Tuple(ExprTuple {
            attrs: Vec::new(),
            paren_token: Paren(arg.key().map_or_else(Span::call_site, Ident::span)),
            elems: values.iter().cloned().collect::<Punctuated<_, _>>(),
        })),
        _ => arg.value(&KEY, mistakes).cloned(),
    }
}

/// What other libraries have here, and we elsewhere.
fn tell_of_others(args: &mut Args, mistakes: &mut Mistakes) {
    if let Some(arg) = args.take_equals(&["max", "attempts", "retries"]) {
        mistakes.at(
            &arg.key(),
            "`idempotent` repeats nothing by itself: write `#[retry(..)]` below it",
        );
    }
}
