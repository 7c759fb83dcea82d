use super::*;

#[test]
fn of_three_tiers() {
    let length = check(
        "fallback",
        quote!(stale = "5m", key = (user, page), replica, Self::bestsellers, expr = Vec::new()),
        quote! {
            async fn recommendations(&self, user: UserId, page: u32) -> Result<Vec<Movie>, ApiError> {
                self.client.recommend(user, page).await
            }
        },
        &expect![[r#"
            async fn recommendations(
                &self,
                user: UserId,
                page: u32,
            ) -> Result<Vec<Movie>, ApiError> {
                use ::steadfast::private::v1 as __steadfast;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "recommendations"),
                );
                static __STEADFAST_STALE: __steadfast::Stale = __steadfast::Stale::new();
                #[allow(clippy::needless_borrows_for_generic_args)]
                let __steadfast_kept = __steadfast::Stale::of(&__STEADFAST_STALE, &(&user, &page));
                '__steadfast_tiers: {
                    let __steadfast_outcome: Result<Vec<Movie>, ApiError> = {
                        async {
                            if let __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None::<
                                Result<Vec<Movie>, ApiError>,
                            > {
                                return __steadfast_never;
                            }
                            #[allow(unused_braces)] { self.client.recommend(user, page).await }
                        }
                            .await
                    };
                    let __steadfast_failure = match __steadfast::failure(
                        __steadfast_outcome,
                        __steadfast::On::Any,
                        __steadfast::Option::None,
                        __steadfast::any,
                    ) {
                        __steadfast::Result::Ok(__steadfast_outcome) => {
                            __steadfast::Kept::keep(&__steadfast_kept, &__steadfast_outcome);
                            break '__steadfast_tiers __steadfast_outcome;
                        }
                        __steadfast::Result::Err(__steadfast_failure) => __steadfast_failure,
                    };
                    if let __steadfast::Option::Some(__steadfast_outcome) = __steadfast::Failure::stale(
                        &__steadfast_failure,
                        &__STEADFAST_SITE,
                        &__steadfast_kept,
                        __steadfast::Duration::new(300u64, 0u32),
                    ) {
                        break '__steadfast_tiers __steadfast_outcome;
                    }
                    #[allow(clippy::used_underscore_binding)]
                    let __steadfast_outcome = __steadfast::Failure::stand_in(
                            &__steadfast_failure,
                            replica,
                            (self, user, page),
                        )
                        .await;
                    if __steadfast_failure.served(&__STEADFAST_SITE, "replica", &__steadfast_outcome)
                    {
                        break '__steadfast_tiers __steadfast_outcome;
                    }
                    #[allow(clippy::used_underscore_binding)]
                    let __steadfast_outcome = __steadfast::Failure::stand_in(
                            &__steadfast_failure,
                            Self::bestsellers,
                            (self, user, page),
                        )
                        .await;
                    if __steadfast_failure
                        .served(&__STEADFAST_SITE, "Self::bestsellers", &__steadfast_outcome)
                    {
                        break '__steadfast_tiers __steadfast_outcome;
                    }
                    #[allow(clippy::used_underscore_binding)]
                    let __steadfast_outcome = __steadfast::Failure::answer(
                            &__steadfast_failure,
                            Vec::new(),
                        )
                        .await;
                    if __steadfast_failure.served(&__STEADFAST_SITE, "expr", &__steadfast_outcome) {
                        break '__steadfast_tiers __steadfast_outcome;
                    }
                    __steadfast_failure.unserved_but(&__STEADFAST_SITE, __steadfast_outcome)
                }
            }
        "#]],
    );
    assert!(length < 2_400, "the expansion has grown to {length} characters");
}

/// The deadline leaves it a moment, by one of its own around the call.
#[test]
fn below_a_deadline() {
    check(
        "deadline",
        quote!("2s"),
        quote! {
            #[fallback(bestsellers, on = "refused")]
            #[circuit_breaker]
            async fn recommendations(user: UserId) -> Result<Vec<Movie>, ApiError> {
                recommend(user).await
            }
        },
        &expect![[r#"
            async fn recommendations(user: UserId) -> Result<Vec<Movie>, ApiError> {
                use ::steadfast::private::v1 as __steadfast;
                #[allow(unused_imports)]
                use fallback::__STEADFAST as _;
                #[allow(unused_imports)]
                use circuit_breaker::__STEADFAST as _;
                static __STEADFAST_SITE: __steadfast::Site = __steadfast::Site::new(
                    __steadfast::concat!(__steadfast::module_path!(), "::", "recommendations"),
                );
                let __steadfast_refusals = &__steadfast::Refusals::new();
                const __STEADFAST_DEADLINE3: __steadfast::Deadline = __steadfast::Deadline::new()
                    .limit(__steadfast::Duration::new(2u64, 0u32));
                const __STEADFAST_DEADLINE1: __steadfast::Deadline = __steadfast::Deadline::new()
                    .early(__steadfast::Duration::from_millis(1));
                static __STEADFAST_BREAKER: __steadfast::CircuitBreaker = __steadfast::CircuitBreaker::new(
                    __STEADFAST_SITE.function(),
                );
                #[allow(unused_braces)]
                {
                    __steadfast::pin!(
                        __steadfast::within(|| & __STEADFAST_DEADLINE3, async move {
                        #[allow(clippy::used_underscore_binding)] let _ = (& user,); if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Vec < Movie >, ApiError > > { return __steadfast_never; }
                        '__steadfast_tiers : { let __steadfast_outcome : Result < Vec < Movie >,
                        ApiError > = { __steadfast::pin!(__steadfast::within(|| &
                        __STEADFAST_DEADLINE1, __steadfast::guarded(__steadfast::gate(&
                        __STEADFAST_BREAKER), async { if let
                        __steadfast::Option::Some(__steadfast_never) = __steadfast::Option::None:: <
                        Result < Vec < Movie >, ApiError > > { return __steadfast_never; }
                        #[allow(unused_braces)] { recommend(user). await } }, | __steadfast_outcome |
                        __steadfast::judged(& __STEADFAST_SITE, __steadfast_outcome,
                        __steadfast::Option::Some(__steadfast_refusals), __steadfast::by_fault), |
                        __steadfast_refusal | __steadfast::refused(& __STEADFAST_SITE,
                        __steadfast_refusals.note(__steadfast_refusal)),), | __steadfast_refusal |
                        __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusals
                        .note(__steadfast_refusal)))) . await }; let __steadfast_failure = match
                        __steadfast::failure(__steadfast_outcome, __steadfast::On::Refused,
                        __steadfast::Option::Some(__steadfast_refusals), __steadfast::any) {
                        __steadfast::Result::Ok(__steadfast_outcome) => { break '__steadfast_tiers
                        __steadfast_outcome; } __steadfast::Result::Err(__steadfast_failure) =>
                        __steadfast_failure, }; #[allow(clippy::used_underscore_binding)] let
                        __steadfast_outcome = __steadfast::Failure::stand_in(& __steadfast_failure,
                        bestsellers, (user,)). await; if __steadfast_failure.served(&
                        __STEADFAST_SITE, "bestsellers", & __steadfast_outcome) { break
                        '__steadfast_tiers __steadfast_outcome; } __steadfast_failure.unserved_but(&
                        __STEADFAST_SITE, __steadfast_outcome) } }, | __steadfast_refusal |
                        __steadfast::refused(& __STEADFAST_SITE, __steadfast_refusals
                        .note(__steadfast_refusal)))
                    )
                        .await
                }
            }
        "#]],
    );
}
