//! `#[idempotent]`, expanded.

use expect_test::expect;
use quote::quote;

use super::check;

#[test]
fn alone() {
    let length = check(
        "idempotent",
        quote!(key = order.id),
        quote! {
            async fn charge(stripe: &Stripe, order: &Order) -> Result<Receipt, PaymentError> {
                stripe.charge(order).await
            }
        },
        &expect![[r#"
            async fn charge(stripe: &Stripe, order: &Order) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                let __steadfast_store = __steadfast::default_store();
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_call = __steadfast::Call::new(
                    &__STEADFAST_SITE,
                    __steadfast_store,
                    __steadfast::key(
                        __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                        &order.id,
                    ),
                    __steadfast::no_fingerprint(),
                );
                const __STEADFAST_IDEMPOTENT0: __steadfast::Idempotent = __steadfast::Idempotent::new();
                '__steadfast_keyed: {
                    let __steadfast_run = match __steadfast::begin(
                            &__steadfast_call,
                            &__STEADFAST_IDEMPOTENT0,
                            __steadfast::Option::None,
                            |__steadfast_refusal| __steadfast::refused(
                                &__STEADFAST_SITE,
                                __steadfast_refusal,
                            ),
                        )
                        .await
                    {
                        __steadfast::Result::Ok(__steadfast_run) => __steadfast_run,
                        __steadfast::Result::Err(__steadfast_run) => {
                            break '__steadfast_keyed __steadfast_run;
                        }
                    };
                    let __steadfast_body = __steadfast::std_pin!(
                        __steadfast::Option::Some(async move { if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Receipt, PaymentError > > { return __steadfast_never; }
                        #[allow(unused_braces)] { stripe.charge(order). await } })
                    );
                    __steadfast::Run::finish(
                            __steadfast_run,
                            __steadfast_body,
                            __steadfast::Option::None,
                            |__steadfast_error| __steadfast::by_fault(__steadfast_error),
                            __steadfast::no_error,
                        )
                        .await
                }
            }
        "#]],
    );
    assert!(length <= 1_500, "{length} characters");
}

#[test]
fn with_all_its_keys() {
    check(
        "idempotent",
        quote! {
            key(account, order.id), tenant = account, fingerprint = order.amount, scope = "charge",
            store = self.keys, ttl = "1h", lease = limit(), wait = "1s", on_interrupted = Self::find,
            max_interruptions = 5, cache_err(PaymentError::is_final), on_store_error = "run",
            when = |e| e.class()
        },
        quote! {
            async fn charge(&mut self, account: Account, order: &Order) -> Result<Receipt, PaymentError> {
                self.stripe.charge(order).await
            }
        },
        &expect![[r#"
            async fn charge(
                &mut self,
                account: Account,
                order: &Order,
            ) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                let __steadfast_named = &self.keys;
                let __steadfast_store = &__steadfast::Store::clone(
                    __steadfast::store(__steadfast_named),
                );
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_call = __steadfast::Call::new(
                    &__STEADFAST_SITE,
                    __steadfast_store,
                    __steadfast::key_of_tenant("charge", &account, &(&account, &order.id)),
                    __steadfast::fingerprint(&order.amount),
                );
                let __steadfast_idempotent0: __steadfast::Idempotent = __steadfast::Idempotent::new()
                    .ttl(__steadfast::Duration::new(3600u64, 0u32))
                    .lease(limit())
                    .wait(__steadfast::Duration::new(1u64, 0u32))
                    .on_store_error(__steadfast::OnStoreError::Run)
                    .max_interruptions(5)
                    .on_interrupted(__steadfast::OnInterrupted::FindOut);
                '__steadfast_keyed: {
                    let __steadfast_run = match __steadfast::begin(
                            &__steadfast_call,
                            &__steadfast_idempotent0,
                            __steadfast::Option::Some(__steadfast::Errors::new()),
                            |__steadfast_refusal| __steadfast::refused(
                                &__STEADFAST_SITE,
                                __steadfast_refusal,
                            ),
                        )
                        .await
                    {
                        __steadfast::Result::Ok(__steadfast_run) => __steadfast_run,
                        __steadfast::Result::Err(__steadfast_run) => {
                            break '__steadfast_keyed __steadfast_run;
                        }
                    };
                    let __steadfast_run = if __steadfast_run.finds_out() {
                        let __steadfast_type = __steadfast_run.outcome();
                        let __steadfast_body = __steadfast::std_pin!(
                            __steadfast::Option::Some(async { let __steadfast_answer = Self::find(&
                            mut * self, __steadfast::Clone::clone(& account), order,). await;
                            __steadfast::truth(__steadfast_type, __steadfast_answer) })
                        );
                        match __steadfast::Run::find_out(__steadfast_run, __steadfast_body).await {
                            __steadfast::Result::Ok(__steadfast_run) => __steadfast_run,
                            __steadfast::Result::Err(__steadfast_run) => {
                                break '__steadfast_keyed __steadfast_run;
                            }
                        }
                    } else {
                        __steadfast_run
                    };
                    let __steadfast_body = __steadfast::std_pin!(
                        __steadfast::Option::Some(async move { if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Receipt, PaymentError > > { return __steadfast_never; }
                        #[allow(unused_braces)] { self.stripe.charge(order). await } })
                    );
                    __steadfast::Run::finish(
                            __steadfast_run,
                            __steadfast_body,
                            __steadfast::Option::None,
                            |e| e.class(),
                            |__steadfast_error| PaymentError::is_final(__steadfast_error),
                        )
                        .await
                }
            }
        "#]],
    );
}

#[test]
fn above_a_retry_on_a_task_of_its_own() {
    check(
        "deadline",
        quote!("2s"),
        quote! {
            #[idempotent(key = order, detach)]
            #[retry]
            #[circuit_breaker(with = STRIPE)]
            async fn charge(order: u64) -> Result<Receipt, PaymentError> {
                stripe().charge(order).await
            }
        },
        &expect![[r#"
            async fn charge(order: u64) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                #[allow(unused_imports)]
                use idempotent::__STEADFAST as _;
                #[allow(unused_imports)]
                use retry::__STEADFAST as _;
                #[allow(unused_imports)]
                use circuit_breaker::__STEADFAST as _;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                let __steadfast_refusals = &__steadfast::Refusals::new();
                const __STEADFAST_DEADLINE3: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(__steadfast::Duration::new(2u64, 0u32));
                let __steadfast_store = __steadfast::default_store();
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_call = __steadfast::Call::new(
                    &__STEADFAST_SITE,
                    __steadfast_store,
                    __steadfast::key(
                        __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                        &order,
                    ),
                    __steadfast::no_fingerprint(),
                );
                const __STEADFAST_IDEMPOTENT2: __steadfast::Idempotent = __steadfast::Idempotent::new();
                #[allow(unused_braces)]
                {
                    __steadfast::pin!(
                        __steadfast::within(|| & __STEADFAST_DEADLINE3, async move {
                        #[allow(clippy::used_underscore_binding)] let _ = (& order,); if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Receipt, PaymentError > > { return __steadfast_never; }
                        '__steadfast_keyed : { let __steadfast_run = match __steadfast::begin(&
                        __steadfast_call, & __STEADFAST_IDEMPOTENT2, __steadfast::Option::None, |
                        __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusals.note(__steadfast_refusal))). await {
                        __steadfast::Result::Ok(__steadfast_run) => __steadfast_run,
                        __steadfast::Result::Err(__steadfast_run) => break '__steadfast_keyed
                        __steadfast_run, }; let __steadfast_run = __steadfast_run.handed_over(());
                        __steadfast::detached(async move { #[allow(clippy::used_underscore_binding)]
                        let _ = (& order,); if let __steadfast::Option::Some(__steadfast_never) =
                        __steadfast::Option::None:: < Result < Receipt, PaymentError > > { return
                        __steadfast_never; } let __steadfast_refusals = &
                        __steadfast::Refusals::new(); let __steadfast_run = __steadfast_run
                        .handed_over(| __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusals.note(__steadfast_refusal))); const __STEADFAST_RETRY1 :
                        __steadfast::Retry = __steadfast::Retry::new(); let __steadfast_breaker =
                        __steadfast::lasting(& STRIPE); '__steadfast_detached : { let
                        __steadfast_body = __steadfast::std_pin!(__steadfast::Option::Some(async move
                        { #[allow(clippy::used_underscore_binding)] let _ = (& order,); if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Receipt, PaymentError > > { return __steadfast_never; } let mut
                        __steadfast_attempts =
                        __steadfast::Attempts::new(__steadfast::Option::Some(__steadfast::gate(__steadfast_breaker)
                        .budget())); loop { let __steadfast_wait = { let __steadfast_outcome : Result
                        < Receipt, PaymentError > =
                        __steadfast::pin!(__steadfast::guarded(__steadfast::gate(__steadfast_breaker),
                        async { if let __steadfast::Option::Some(__steadfast_never) =
                        __steadfast::Option::None:: < Result < Receipt, PaymentError > > { return
                        __steadfast_never; } #[allow(unused_braces)] { stripe().charge(order). await
                        } }, | __steadfast_outcome | __steadfast::judged(& __STEADFAST_SITE,
                        __steadfast_outcome, __steadfast::Option::Some(__steadfast_refusals),
                        __steadfast::by_fault), | __steadfast_refusal | __steadfast::refused(&
                        __STEADFAST_SITE, __steadfast_refusals.note(__steadfast_refusal)),)) . await;
                        let __steadfast_rules = __steadfast::Rules::new(& __STEADFAST_RETRY1,
                        __steadfast::Option::Some(__steadfast::gate(__steadfast_breaker).budget()), &
                        __STEADFAST_SITE).minding(__steadfast::gate(__steadfast_breaker), true)
                        .noting(__steadfast_refusals); match __steadfast::Attempts::after(& mut
                        __steadfast_attempts, __steadfast_rules, & __steadfast_outcome,
                        __steadfast::by_fault, __steadfast::no_value,) {
                        __steadfast::Option::Some(__steadfast_wait) => { __steadfast_wait }
                        __steadfast::Option::None => break __steadfast_outcome, } };
                        __steadfast::pause(__steadfast_wait). await; } }));
                        __steadfast::Run::finish(__steadfast_run, __steadfast_body,
                        __steadfast::Option::Some(__steadfast_refusals), | __steadfast_error |
                        __steadfast::by_fault(__steadfast_error), __steadfast::no_error). await } },
                        | __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusals.note(__steadfast_refusal)), & __STEADFAST_SITE,). await
                        } }, | __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusals.note(__steadfast_refusal)))
                    )
                        .await
                }
            }
        "#]],
    );
}

#[test]
fn in_a_transaction() {
    let length = check(
        "idempotent",
        quote!(key = order.id, tx = tx, store = KEYS),
        quote! {
            async fn charge(tx: &mut Transaction<'_, Postgres>, order: &Order) -> Result<Receipt, PaymentError> {
                insert(&mut **tx, order).await
            }
        },
        &expect![[r#"
            async fn charge(
                tx: &mut Transaction<'_, Postgres>,
                order: &Order,
            ) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                let __steadfast_named = &KEYS;
                let __steadfast_store = __steadfast::store_in(__steadfast_named);
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_call = __steadfast::CallIn::new(
                    &__STEADFAST_SITE,
                    __steadfast_store,
                    __steadfast::key(
                        __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                        &order.id,
                    ),
                    __steadfast::no_fingerprint(),
                );
                const __STEADFAST_IDEMPOTENT0: __steadfast::Idempotent = __steadfast::Idempotent::new();
                '__steadfast_keyed: {
                    let __steadfast_run = match __steadfast::begin_in(
                            &__steadfast_call,
                            __steadfast::connection(&__steadfast_call, &mut *tx),
                            &__STEADFAST_IDEMPOTENT0,
                            __steadfast::Option::None,
                            |__steadfast_refusal| __steadfast::refused(
                                &__STEADFAST_SITE,
                                __steadfast_refusal,
                            ),
                        )
                        .await
                    {
                        __steadfast::Result::Ok(__steadfast_run) => __steadfast_run,
                        __steadfast::Result::Err(__steadfast_run) => {
                            break '__steadfast_keyed __steadfast_run;
                        }
                    };
                    let __steadfast_outcome = {
                        #[allow(
                            clippy::redundant_locals,
                            clippy::shadow_reuse,
                            clippy::shadow_same,
                            clippy::shadow_unrelated
                        )]
                        let tx = &mut *tx;
                        let __steadfast_body = __steadfast::std_pin!(
                            async move { if let __steadfast::Option::Some(__steadfast_never) =
                            __steadfast::Option::None:: < Result < Receipt, PaymentError > > { return
                            __steadfast_never; } #[allow(unused_braces)] { insert(& mut * * tx,
                            order). await } }
                        );
                        let __steadfast_outcome = __steadfast::RunIn::body(
                                &__steadfast_run,
                                __steadfast_body,
                            )
                            .await;
                        __steadfast_outcome
                    };
                    __steadfast::RunIn::finish_in(
                            __steadfast_run,
                            __steadfast::connection(&__steadfast_call, &mut *tx),
                            __steadfast_outcome,
                            __steadfast::Option::None,
                            __steadfast::no_error,
                        )
                        .await
                }
            }
        "#]],
    );
    assert!(length < 2_000, "{length}");
}
