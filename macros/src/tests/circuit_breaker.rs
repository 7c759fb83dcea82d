use super::*;

#[test]
fn alone() {
    let length = check(
        "circuit_breaker",
        quote!(failure_rate = 0.3, window = 100, open_for = "5s"),
        quote! {
            async fn price(client: &Client, movie: String) -> Result<u64, ApiError> {
                client.get(movie).await?.price()
            }
        },
        &expect![[r#"
            async fn price(client: &Client, movie: String) -> Result<u64, ApiError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "price"),
                );
                static __STEADFAST_BREAKER: __steadfast::CircuitBreaker = __steadfast::CircuitBreaker::new(
                        __STEADFAST_SITE.function(),
                    )
                    .failure_rate(0.3f64)
                    .window(__steadfast::Window::Calls(100u32))
                    .open_for(__steadfast::Duration::new(5u64, 0u32));
                #[allow(unused_braces)]
                {
                    __steadfast::pin!(
                        __steadfast::guarded(__steadfast::gate(& __STEADFAST_BREAKER), async move {
                        #[allow(clippy::used_underscore_binding)] let _ = (& movie,); if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < u64, ApiError > > { return __steadfast_never; }
                        #[allow(unused_braces)] { client.get(movie). await ? .price() } }, |
                        __steadfast_outcome | __steadfast::judged(& __STEADFAST_SITE,
                        __steadfast_outcome, __steadfast::Option::None, __steadfast::by_fault), |
                        __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusal),)
                    )
                        .await
                }
            }
        "#]],
    );
    assert!(length < 1_100, "the expansion has grown to {length} characters");
}

#[test]
fn shared_and_for_each_key() {
    check(
        "circuit_breaker",
        quote!(with = self.hosts, per = url.len() % 4, when = Error::is_outage),
        quote! {
            async fn fetch(&self, url: &str) -> Result<u64, ApiError> {
                self.client.get(url).await?.price()
            }
        },
        &expect![[r#"
            async fn fetch(&self, url: &str) -> Result<u64, ApiError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "fetch"),
                );
                let __steadfast_breaker = __steadfast::lasting(&self.hosts);
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_gate = __steadfast::gate_per(__steadfast_breaker, &(url.len() % 4));
                #[allow(unused_braces)]
                {
                    __steadfast::pin!(
                        __steadfast::guarded(__steadfast_gate, async move { if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < u64, ApiError > > { return __steadfast_never; }
                        #[allow(unused_braces)] { self.client.get(url). await ? .price() } }, |
                        __steadfast_outcome | __steadfast::judged(& __STEADFAST_SITE,
                        __steadfast_outcome, __steadfast::Option::None, | __steadfast_error |
                        Error::is_outage(__steadfast_error)), | __steadfast_refusal |
                        __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusal),)
                    )
                        .await
                }
            }
        "#]],
    );
}

#[test]
fn between_a_retry_and_the_deadline_of_an_attempt() {
    let length = check(
        "retry",
        quote!(max = 4),
        quote! {
            #[circuit_breaker(with = STRIPE)]
            #[deadline("1s")]
            async fn charge(&self, order: &Order) -> Result<Receipt, PaymentError> {
                self.client.charge(order).await
            }
        },
        &expect![[r#"
            async fn charge(&self, order: &Order) -> Result<Receipt, PaymentError> {
                use ::steadfast::private::v1 as __steadfast;
                #[allow(unused_imports)]
                use circuit_breaker::__STEADFAST as _;
                #[allow(unused_imports)]
                use deadline::__STEADFAST as _;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "charge"),
                );
                let __steadfast_refusals = &__steadfast::Refusals::new();
                const __STEADFAST_RETRY2: __steadfast::Retry = __steadfast::Retry::new().max(4);
                let __steadfast_breaker = __steadfast::lasting(&STRIPE);
                const __STEADFAST_DEADLINE0: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(__steadfast::Duration::new(1u64, 0u32));
                #[allow(unused_braces)]
                {
                    let mut __steadfast_attempts = __steadfast::Attempts::new(
                        __steadfast::Option::Some(__steadfast::gate(__steadfast_breaker).budget()),
                    );
                    loop {
                        let __steadfast_wait = {
                            let __steadfast_outcome: Result<Receipt, PaymentError> = __steadfast::pin!(
                                __steadfast::guarded(__steadfast::gate(__steadfast_breaker),
                                __steadfast::within(|| & __STEADFAST_DEADLINE0, async { if let
                                __steadfast::Option::Some(__steadfast_never) =
                                __steadfast::Option::None:: < Result < Receipt, PaymentError > > {
                                return __steadfast_never; } #[allow(unused_braces)] { self.client
                                .charge(order). await } }, | __steadfast_refusal |
                                __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusals
                                .note(__steadfast_refusal))), | __steadfast_outcome |
                                __steadfast::judged(& __STEADFAST_SITE, __steadfast_outcome,
                                __steadfast::Option::Some(__steadfast_refusals),
                                __steadfast::by_fault), | __steadfast_refusal |
                                __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusals
                                .note(__steadfast_refusal)),)
                            )
                                .await;
                            let __steadfast_rules = __steadfast::Rules::new(
                                    &__STEADFAST_RETRY2,
                                    __steadfast::Option::Some(
                                        __steadfast::gate(__steadfast_breaker).budget(),
                                    ),
                                    &__STEADFAST_SITE,
                                )
                                .minding(__steadfast::gate(__steadfast_breaker), true)
                                .noting(__steadfast_refusals);
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
            }
        "#]],
    );
    assert!(length < 2_400, "the expansion has grown to {length} characters");
}
