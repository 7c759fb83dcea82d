//! Calls a fallback, whatever its form: with the error or without, async or not, a `Result` or a
//! value. rustc finds out which it is.

use std::{
    future::{Future, Ready, ready},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

/// A function that can stand in for the annotated one.
///
/// It exists for its message: rustc shows it at the function's path.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in for this function",
    label = "takes other arguments, or returns something else",
    note = "a fallback takes the same arguments, of the same types and in the same order, and may take `&{E}` as one more",
    note = "it returns `{O}`, or the value alone, and may be async"
)]
pub trait StandIn<'e, A, E, O, M> {
    /// What it answers with.
    type Future: Future<Output = O>;

    /// Calls it.
    fn call(self, arguments: A, error: &'e E) -> Self::Future;
}

/// Something that can be made an outcome of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in for the outcome of this function",
    label = "neither a `{O}` nor its value",
    note = "`expr` takes a value, a `Result`, or a future of either"
)]
pub trait Answer<O, M> {
    /// The outcome, perhaps later.
    type Future: Future<Output = O>;

    /// Makes one of it.
    fn into_future(self) -> Self::Future;
}

/// Marks what answers with a whole outcome.
#[derive(Debug)]
pub struct Whole;

/// Marks what answers with a value.
#[derive(Debug)]
pub struct Value;

/// Marks what answers later.
#[derive(Debug)]
pub struct Later<M>(M);

/// Marks a function that does not take the error.
#[derive(Debug)]
pub struct Unasked<M>(M);

/// Marks a function that takes the error.
#[derive(Debug)]
pub struct Asked<M>(M);

#[diagnostic::do_not_recommend]
impl<O> Answer<O, Whole> for O {
    type Future = Ready<O>;

    fn into_future(self) -> Ready<O> {
        ready(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Answer<Result<T, E>, Value> for T {
    type Future = Ready<Result<T, E>>;

    fn into_future(self) -> Self::Future {
        ready(Ok(self))
    }
}

#[diagnostic::do_not_recommend]
impl<O, F> Answer<O, Later<Whole>> for F
where
    F: Future<Output = O>,
{
    type Future = F;

    fn into_future(self) -> F {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<T, E, F> Answer<Result<T, E>, Later<Value>> for F
where
    F: Future<Output = T>,
{
    type Future = Found<F, E>;

    fn into_future(self) -> Self::Future {
        Found { value: self, error: PhantomData }
    }
}

macro_rules! stand_in {
    ($($argument:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<'e, E, O, M, F, R, $($argument),*> StandIn<'e, ($($argument,)*), E, O, Unasked<M>> for F
        where
            F: FnOnce($($argument),*) -> R,
            R: Answer<O, M>,
        {
            type Future = R::Future;

            #[allow(non_snake_case)]
            fn call(self, ($($argument,)*): ($($argument,)*), _: &'e E) -> R::Future {
                self($($argument),*).into_future()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<'e, E, O, M, F, R, $($argument),*> StandIn<'e, ($($argument,)*), E, O, Asked<M>> for F
        where
            E: 'e,
            F: FnOnce($($argument,)* &'e E) -> R,
            R: Answer<O, M>,
        {
            type Future = R::Future;

            #[allow(non_snake_case)]
            fn call(self, ($($argument,)*): ($($argument,)*), error: &'e E) -> R::Future {
                self($($argument,)* error).into_future()
            }
        }
    };
}

stand_in!();
stand_in!(A1);
stand_in!(A1 A2);
stand_in!(A1 A2 A3);
stand_in!(A1 A2 A3 A4);
stand_in!(A1 A2 A3 A4 A5);
stand_in!(A1 A2 A3 A4 A5 A6);
stand_in!(A1 A2 A3 A4 A5 A6 A7);
stand_in!(A1 A2 A3 A4 A5 A6 A7 A8);
stand_in!(A1 A2 A3 A4 A5 A6 A7 A8 A9);
stand_in!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
stand_in!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
stand_in!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);

pin_project! {
    /// A future of a value, as one of an outcome.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Found<F, E> {
        #[pin]
        value: F,
        error: PhantomData<fn() -> E>,
    }
}

impl<T, E, F: Future<Output = T>> Future for Found<F, E> {
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().value.poll(cx).map(Ok)
    }
}
