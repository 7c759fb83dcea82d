/// One annotated function, as its expansion declares it.
///
/// Every event and every refusal names the function by it, so that what is said of a function is
/// never an allocated string.
#[derive(Debug)]
pub struct Site {
    function: &'static str,
}

impl Site {
    /// Names a function by its full path, such as `shop::client::charge`.
    pub const fn new(function: &'static str) -> Self {
        Self { function }
    }

    /// The name.
    pub const fn function(&self) -> &'static str {
        self.function
    }
}
