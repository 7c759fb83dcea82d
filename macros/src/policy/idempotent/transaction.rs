//! What `tx` takes, and what it expands to: the key is kept in the caller's transaction.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{Expr, Lifetime, ext::IdentExt};

use super::{Idempotent, KEYED, keys::TX};
use crate::{
    args::{Arg, Args, Mistakes},
    arguments::Handed,
    func::Func,
    policy::{Code, Context, did_you_mean_argument},
    tokens::{is_ident, is_punct, local, placed_at, shadowing},
    value::borrowed,
};

/// `tx = tx`.
pub(super) struct Transaction {
    arg: Arg,
    /// The argument's name; `None` if that is wrong.
    pub(super) name: Option<Ident>,
}

impl Transaction {
    pub(super) fn read(args: &mut Args, func: &Func, mistakes: &mut Mistakes) -> Option<Self> {
        let arg = args.take(&TX, mistakes)?;
        let name = argument(&arg, func, mistakes);
        Some(Self { arg, name })
    }

    /// Notes what a transaction has no use for.
    pub(super) fn check(
        &self,
        idempotent: &Idempotent,
        has_store: bool,
        detach: Option<&Arg>,
        mistakes: &mut Mistakes,
    ) {
        if !has_store {
            mistakes.at(
                &self.arg.key(),
                "`tx` needs the store that writes in the transaction, a `PostgresStore`: `store = keys`",
            );
        }
        let cut_off = "a transaction that is cut off has done nothing, and the next call runs: leave this out";
        let given = [
            (
                idempotent.lease.as_ref().map(|(arg, _)| arg),
                "a transaction holds its key until it ends, without a lease: leave this out",
            ),
            (idempotent.on_interrupted.as_ref().map(|(arg, _)| arg), cut_off),
            (idempotent.max_interruptions.as_ref().map(|(arg, _)| arg), cut_off),
            (
                idempotent.on_store_error.as_ref().map(|(arg, _)| arg),
                "the key is written in the transaction, and never without it: leave this out",
            ),
            (detach, "a transaction is its caller's, and cannot leave: leave this out"),
        ];
        for (arg, message) in given {
            if let Some(arg) = arg {
                mistakes.at(&arg.key(), message);
            }
        }
        if let Some(when) = &idempotent.when {
            mistakes.at(
                when,
                "whatever an error means, what was written before it is taken back: leave `when` out",
            );
        }
    }
}

/// A key that is kept outside of the transaction in which the body writes outlives its end, however it ends.
pub(super) fn check_forgotten(func: &Func, mistakes: &mut Mistakes) {
    for borrowed in func.borrowed_arguments() {
        let tokens: Vec<TokenTree> = borrowed.clone().into_iter().collect();
        // `Transaction<'_, Postgres>`, or `PgTransaction<'_>`, however it is called.
        let is_one = tokens.windows(3).any(|tokens| {
            matches!(&tokens[0], TokenTree::Ident(name) if name.to_string().ends_with("Transaction"))
                && is_punct(&tokens[1], '<')
                && is_punct(&tokens[2], '\'')
        });
        if is_one && tokens.iter().any(|token| is_ident(token, "mut")) {
            mistakes.at(
                &borrowed,
                "the key would be kept outside of this transaction, also where that is rolled back: write \
                 `tx = ..` and `store = ..`, or take a `&mut PgConnection` if that is what you mean",
            );
        }
    }
}

fn argument(arg: &Arg, func: &Func, mistakes: &mut Mistakes) -> Option<Ident> {
    let value = arg.value(&TX, mistakes)?;
    let name = match value {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let Some(name) = name else {
        mistakes
            .at(value, "`tx` takes the name of the argument that is the transaction: `tx = tx`");
        return None;
    };
    let found = func.arguments().handed().find_map(|handed| match handed {
        Handed::Named { name: argument, mutably, .. } if argument.unraw() == name.unraw() => {
            Some(*mutably)
        }
        _ => None,
    });
    match found {
        Some(true) => return Some(name.clone()),
        Some(false) => mistakes.at(
            name,
            format_args!(
                "the caller commits, when the result is written: take `{name}: &mut Transaction<'_, Postgres>`"
            ),
        ),
        None => mistakes.at(name, did_you_mean_argument(func, name)),
    }
    None
}

impl Idempotent {
    /// Input:  `future`, with `#[idempotent(key = order.id, tx = tx, store = KEYS)]`
    /// Output:
    /// ```text
    /// let call = CallIn::new(&SITE, store_in(named), key("shop::charge", &order.id), no_fingerprint());
    ///
    /// 'keyed: {
    ///     let run = match begin_in(&call, connection(&call, &mut *tx), &IDEMPOTENT, None, refuse).await {
    ///         Ok(run) => run,
    ///         Err(outcome) => break 'keyed outcome,
    ///     };
    ///     let outcome = {
    ///         let tx = &mut *tx;
    ///         let body = pin!(future);
    ///         let outcome = RunIn::body(&run, body).await;
    ///         outcome
    ///     };
    ///     RunIn::finish_in(run, connection(&call, &mut *tx), outcome, None, no_error).await
    /// }
    /// ```
    pub(super) fn wrap_in(&self, tx: &Ident, inner: Code, cx: &mut Context<'_>) -> Code {
        let rt = cx.rt.clone();
        let policy = self.declare(cx);
        self.declare_call(cx);
        let (run, body) = (local("__steadfast_run"), local("__steadfast_body"));
        let ended = local("__steadfast_outcome");
        let outcome = cx.func.outcome();
        let begin = placed_at(&outcome, &quote!(#rt::begin_in));
        let (errors, is_final) = (self.errors(&rt), self.is_final(&rt));
        let (refuse, refusals) = (cx.refuse(), cx.refusals());
        let label = Lifetime::new(KEYED, Span::mixed_site());
        let anew = quote_spanned!(tx.span()=> &mut *#tx);
        let own = shadowing(&quote!(let #tx = #anew;));
        // By one function, so that a connection of another kind is told of once.
        let connection = quote!(#rt::connection(&__steadfast_call, #anew));
        let future = inner.into_future(cx);
        Code::Statements(quote! {
            #label: {
                let #run =
                    match #begin(&__steadfast_call, #connection, &#policy, #errors, #refuse).await {
                        #rt::Result::Ok(#run) => #run,
                        #rt::Result::Err(#run) => break #label #run,
                    };
                let #ended = {
                    #own
                    let #body = #rt::std_pin!(#future);
                    let #ended = #rt::RunIn::body(&#run, #body).await;
                    #ended
                };
                #rt::RunIn::finish_in(#run, #connection, #ended, #refusals, #is_final).await
            }
        })
    }

    /// Input:  `store = KEYS`
    /// Output: `let named = &KEYS;`, and `store_in(named)`
    pub(super) fn declared_store_in(&self, rt: &TokenStream) -> Option<(TokenStream, TokenStream)> {
        let store = self.store.as_ref()?;
        let lasting = placed_at(store, &quote!(#rt::store_in));
        let named = placed_at(store, &quote!(__steadfast_named));
        let borrowed = borrowed(store);
        Some((quote!(let #named = #borrowed;), quote!(#lasting(#named))))
    }
}
