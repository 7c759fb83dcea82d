//! What users get: a few stacks, expanded. Run with `UPDATE_EXPECT=1` to accept a change.
#![expect(clippy::needless_raw_string_hashes, reason = "so does expect-test write them")]

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use quote::quote;

use crate::{expand::expand, fault};

mod circuit_breaker;
mod fallback;
mod idempotent;

fn check(name: &'static str, args: TokenStream, item: TokenStream, expected: &Expect) -> usize {
    let file = syn::parse2(expand(name, args, item)).expect("an expansion is a file");
    let text = prettyplease::unparse(&file);
    expected.assert_eq(&text);
    text.chars().filter(|c| !c.is_whitespace()).count()
}

#[test]
fn retry() {
    let length = check(
        "retry",
        quote!(max = 5, base = "50ms", jitter = "equal"),
        quote! {
            /// Kept.
            pub(crate) async fn price(client: &Client, movie: &str) -> Result<u64, ApiError> {
                client.get(movie).await?.price()
            }
        },
        &expect![[r#"
            /// Kept.
            pub(crate) async fn price(client: &Client, movie: &str) -> Result<u64, ApiError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "price"),
                );
                static __STEADFAST_BUDGET: __steadfast::RetryBudget = __steadfast::RetryBudget::new();
                const __STEADFAST_RETRY0: __steadfast::Retry = __steadfast::Retry::new()
                    .max(5)
                    .base(__steadfast::Duration::new(0u64, 50000000u32))
                    .jitter(__steadfast::Jitter::Equal);
                let mut __steadfast_attempts = __steadfast::Attempts::new(
                    __steadfast::Option::Some(&__STEADFAST_BUDGET),
                );
                loop {
                    let __steadfast_wait = {
                        let __steadfast_outcome: Result<u64, ApiError> = async {
                            if let __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None::<
                                Result<u64, ApiError>,
                            > {
                                return __steadfast_never;
                            }
                            #[allow(unused_braces)] { client.get(movie).await?.price() }
                        }
                            .await;
                        let __steadfast_rules = __steadfast::Rules::new(
                            &__STEADFAST_RETRY0,
                            __steadfast::Option::Some(&__STEADFAST_BUDGET),
                            &__STEADFAST_SITE,
                        );
                        match __steadfast::Attempts::after(
                            &mut __steadfast_attempts,
                            __steadfast_rules,
                            &__steadfast_outcome,
                            __steadfast::by_fault,
                            __steadfast::no_value,
                        ) {
                            __steadfast::Option::Some(__steadfast_wait) => __steadfast_wait,
                            __steadfast::Option::None => break __steadfast_outcome,
                        }
                    };
                    __steadfast::pause(__steadfast_wait).await;
                }
            }
        "#]],
    );
    assert!(length < 1_400, "the expansion has grown to {length} characters");
}

#[test]
fn deadline() {
    check(
        "deadline",
        quote!("2s", reserve = "50ms"),
        quote! {
            async fn price(self: Arc<Self>, movie: String) -> anyhow::Result<u64> {
                self.ask(movie).await
            }
        },
        &expect![[r#"
            async fn price(self: Arc<Self>, movie: String) -> anyhow::Result<u64> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "price"),
                );
                const __STEADFAST_DEADLINE0: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(__steadfast::Duration::new(2u64, 0u32))
                    .reserve(__steadfast::Duration::new(0u64, 50000000u32));
                __steadfast::pin!(
                    __steadfast::within(|| & __STEADFAST_DEADLINE0, async move {
                    #[allow(clippy::used_underscore_binding)] let _ = (& movie, & self,); if let
                    __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                    anyhow::Result < u64 > > { return __steadfast_never; } #[allow(unused_braces)] {
                    self.ask(movie). await } }, | __steadfast_refusal | __steadfast::refused(&
                    __STEADFAST_SITE, __steadfast_refusal))
                )
                    .await
            }
        "#]],
    );
}

#[test]
fn a_stack_of_three_in_written_order() {
    let length = check(
        "deadline",
        quote!("10s"),
        quote! {
            #[inline]
            #[retry(max = 4, safe, budget = STRIPE)]
            #[steadfast::deadline(self.attempt_limit)]
            async fn charge(&self, order: &Order) -> Result<Receipt, PaymentError> {
                self.client.charge(order).await
            }
        },
        &expect![[r##"
            #[inline]
            async fn charge(&self, order: &Order) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                #[allow(unused_imports)]
                use retry::__STEADFAST as _;
                #[allow(unused_imports)]
                use steadfast::deadline::__STEADFAST as _;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                const __STEADFAST_DEADLINE2: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(__steadfast::Duration::new(10u64, 0u32));
                const __STEADFAST_RETRY1: __steadfast::Retry = __steadfast::Retry::new()
                    .max(4)
                    .safe();
                let __steadfast_deadline0: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(self.attempt_limit);
                __steadfast::pin!(
                    __steadfast::within(|| & __STEADFAST_DEADLINE2, async move { if let
                    __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                    Result < Receipt, PaymentError > > { return __steadfast_never; } let
                    __steadfast_budget = __steadfast::shared(& STRIPE); let mut __steadfast_attempts
                    = __steadfast::Attempts::new(__steadfast::Option::Some(__steadfast_budget)); loop
                    { let __steadfast_wait = { let __steadfast_outcome : Result < Receipt,
                    PaymentError > = __steadfast::pin!(__steadfast::within(|| &
                    __steadfast_deadline0, async { if let
                    __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                    Result < Receipt, PaymentError > > { return __steadfast_never; }
                    #[allow(unused_braces)] { self.client.charge(order). await } }, |
                    __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                    __steadfast_refusal))) . await; let __steadfast_rules = __steadfast::Rules::new(&
                    __STEADFAST_RETRY1, __steadfast::Option::Some(__steadfast_budget), &
                    __STEADFAST_SITE); match __steadfast::Attempts::after(& mut __steadfast_attempts,
                    __steadfast_rules, & __steadfast_outcome, __steadfast::by_fault,
                    __steadfast::no_value,) { __steadfast::Option::Some(__steadfast_wait) => {
                    __steadfast_wait } __steadfast::Option::None => break __steadfast_outcome, } };
                    __steadfast::pause(__steadfast_wait). await; } }, | __steadfast_refusal |
                    __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusal))
                )
                    .await
            }
        "##]],
    );
    assert!(length < 2_000, "the expansion has grown to {length} characters");
}

#[test]
fn arguments_of_every_attempts_own() {
    check(
        "retry",
        quote!(
            when = |e| e.is_timeout(),
            when_ok(Vec::is_empty),
            clone(url),
            on_retry = note,
            budget = none
        ),
        quote! {
            async fn fetch(url: String, (mut seen, _): (Vec<u8>, u8)) -> R<impl Iterator<Item = u8>> {
                seen.push(1);
                get(url).await
            }
        },
        &expect![[r#"
            async fn fetch(url: String, (seen, _): (Vec<u8>, u8)) -> R<impl Iterator<Item = u8>> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "fetch"),
                );
                const __STEADFAST_RETRY0: __steadfast::Retry = __steadfast::Retry::new();
                let mut __steadfast_attempts = __steadfast::Attempts::new(__steadfast::Option::None);
                loop {
                    let __steadfast_wait = {
                        let __steadfast_outcome: R<_> = {
                            #[allow(
                                clippy::redundant_locals,
                                clippy::shadow_reuse,
                                clippy::shadow_same,
                                clippy::shadow_unrelated
                            )]
                            let seen = __steadfast::fresh(&seen);
                            #[allow(
                                clippy::redundant_locals,
                                clippy::shadow_reuse,
                                clippy::shadow_same,
                                clippy::shadow_unrelated
                            )]
                            let url = __steadfast::fresh(&url);
                            async {
                                if let __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None::<
                                    R<_>,
                                > {
                                    return __steadfast_never;
                                }
                                #[allow(
                                    clippy::redundant_locals,
                                    clippy::shadow_reuse,
                                    clippy::shadow_same,
                                    clippy::shadow_unrelated
                                )]
                                let mut seen = seen;
                                #[allow(
                                    clippy::redundant_locals,
                                    clippy::shadow_reuse,
                                    clippy::shadow_same,
                                    clippy::shadow_unrelated
                                )]
                                let url = url;
                                #[allow(unused_braces)]
                                {
                                    seen.push(1);
                                    get(url).await
                                }
                            }
                                .await
                        };
                        let __steadfast_rules = __steadfast::Rules::new(
                            &__STEADFAST_RETRY0,
                            __steadfast::Option::None,
                            &__STEADFAST_SITE,
                        );
                        match __steadfast::Attempts::after(
                            &mut __steadfast_attempts,
                            __steadfast_rules,
                            &__steadfast_outcome,
                            |e| e.is_timeout(),
                            Vec::is_empty,
                        ) {
                            __steadfast::Option::Some(__steadfast_wait) => {
                                __steadfast::Attempts::notify(
                                    &__steadfast_attempts,
                                    __steadfast_wait,
                                    &__steadfast_outcome,
                                    note,
                                );
                                __steadfast_wait
                            }
                            __steadfast::Option::None => break __steadfast_outcome,
                        }
                    };
                    __steadfast::pause(__steadfast_wait).await;
                }
            }
        "#]],
    );
}

#[test]
fn a_future_in_a_box() {
    check(
        "retry",
        quote!(),
        quote! {
            fn price<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u64, E>> + Send + 'a>> {
                let id = self.id;
                Box::pin(async move { self.get(id).await })
            }
        },
        &expect![[r#"
            fn price<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u64, E>> + Send + 'a>> {
                let id = self.id;
                Box::pin(async move {
                    use ::steadfast::private::v1 as __steadfast;
                    static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                        __steadfast::concat!(__steadfast::module_path!(), "::", "price"),
                    );
                    static __STEADFAST_BUDGET: __steadfast::RetryBudget = __steadfast::RetryBudget::new();
                    const __STEADFAST_RETRY0: __steadfast::Retry = __steadfast::Retry::new();
                    let mut __steadfast_attempts = __steadfast::Attempts::new(
                        __steadfast::Option::Some(&__STEADFAST_BUDGET),
                    );
                    loop {
                        let __steadfast_wait = {
                            let __steadfast_outcome: Result<u64, E> = async {
                                if let __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None::<
                                    Result<u64, E>,
                                > {
                                    return __steadfast_never;
                                }
                                #[allow(unused_braces)] { self.get(id).await }
                            }
                                .await;
                            let __steadfast_rules = __steadfast::Rules::new(
                                &__STEADFAST_RETRY0,
                                __steadfast::Option::Some(&__STEADFAST_BUDGET),
                                &__STEADFAST_SITE,
                            );
                            match __steadfast::Attempts::after(
                                &mut __steadfast_attempts,
                                __steadfast_rules,
                                &__steadfast_outcome,
                                __steadfast::by_fault,
                                __steadfast::no_value,
                            ) {
                                __steadfast::Option::Some(__steadfast_wait) => __steadfast_wait,
                                __steadfast::Option::None => break __steadfast_outcome,
                            }
                        };
                        __steadfast::pause(__steadfast_wait).await;
                    }
                })
            }
        "#]],
    );
}

#[test]
fn a_mistake_leaves_the_function_and_tells_all() {
    check(
        "retry",
        quote!(mx = 3, base = "10"),
        quote! {
            #[deadline("0s")]
            async fn price() -> Result<u64, E> {
                ask().await
            }
        },
        &expect![[r#"
            async fn price() -> Result<u64, E> {
                #[allow(unused_imports)]
                use deadline::__STEADFAST as _;
                ask().await
            }
            ::core::compile_error! {
                "a duration needs a unit: `10ms` or `10s`"
            }
            ::core::compile_error! {
                "`retry` has no `mx`: did you mean `max`?"
            }
            ::core::compile_error! {
                "a deadline of zero refuses every call: give it time"
            }
        "#]],
    );
}

#[test]
fn derive_fault() {
    let tokens = fault::derive(quote! {
        enum ApiError<T> {
            #[fault(transient)]
            Busy,
            #[fault(throttled = retry_after)]
            TooMany { retry_after: Duration, body: T },
            #[fault(transparent)]
            Io(#[from] std::io::Error),
        }
    });
    let file = syn::parse2(tokens).expect("an expansion is a file");
    expect![[r#"
        #[automatically_derived]
        impl<T> ::steadfast::private::v1::Fault for ApiError<T> {
            fn class(&self) -> ::steadfast::private::v1::Class {
                match self {
                    Self::Busy { .. } => ::steadfast::private::v1::Class::Transient,
                    Self::TooMany { retry_after: __steadfast_hint, .. } => {
                        ::steadfast::private::v1::Class::Throttled {
                            retry_after: ::steadfast::private::v1::Hint::hint(__steadfast_hint),
                        }
                    }
                    Self::Io { 0: __steadfast_inner, .. } => {
                        ::steadfast::private::v1::Fault::class(__steadfast_inner)
                    }
                }
            }
        }
    "#]]
    .assert_eq(&prettyplease::unparse(&file));
}
