/// Makes an attempt's own copy of an argument.
pub fn fresh<T: Fresh>(argument: &T) -> T {
    argument.fresh()
}

/// An argument that each attempt can have afresh; every `T: Clone` is one.
///
/// It exists for its message: rustc shows it where the bound is not met.
#[diagnostic::on_unimplemented(
    message = "`#[retry]` cannot give each attempt its own `{Self}`",
    label = "not `Clone`",
    note = "a `mut` argument, or one in `clone(..)`, starts afresh in every attempt",
    note = "implement `Clone`, or take it by `&mut` and reset it yourself"
)]
pub trait Fresh: Sized {
    /// Clones it.
    #[must_use]
    fn fresh(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Fresh for T {
    fn fresh(&self) -> Self {
        self.clone()
    }
}
