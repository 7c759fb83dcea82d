//! The policies: for each, one file with its keys, its checks and what it expands to.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::{
    args::{Args, Mistakes},
    func::Func,
    nearest::nearest,
};

pub(crate) mod deadline;
pub(crate) mod retry;

/// The attributes that stack.
pub(crate) const NAMES: &[&str] = &["deadline", "retry"];

/// One attribute of a stack, read and found right by itself.
pub(crate) enum Policy {
    Deadline(Box<deadline::Deadline>),
    Retry(Box<retry::Retry>),
}

impl Policy {
    /// Reads the arguments of the attribute of this name, one of [`NAMES`].
    pub(crate) fn read(name: &str, args: Args, func: &Func, mistakes: &mut Mistakes) -> Self {
        match name {
            "deadline" => Self::Deadline(Box::new(deadline::Deadline::read(args, mistakes))),
            _ => Self::Retry(Box::new(retry::Retry::read(args, func, mistakes))),
        }
    }

    /// Puts the policy around what stands below it.
    pub(crate) fn wrap(&self, inner: Code, cx: &mut Context<'_>) -> Code {
        match self {
            Self::Deadline(deadline) => deadline.wrap(inner, cx),
            Self::Retry(retry) => retry.wrap(inner, cx),
        }
    }
}

/// What every policy needs to expand.
pub(crate) struct Context<'f> {
    pub(crate) func: &'f Func,
    /// What an expansion calls the module `steadfast::private::v1`.
    pub(crate) rt: TokenStream,
    /// Declarations at the top of the body, made once a call.
    pub(crate) setup: TokenStream,
    /// How many policies have been put around, for names that differ.
    pub(crate) depth: usize,
    /// Where `retry` stands.
    pub(crate) retry: Option<Span>,
}

impl Context<'_> {
    /// Declares the settings of a policy, and says by what name.
    ///
    /// Input:  `__steadfast_retry`, `Retry`, `Retry::new().max(3)`
    /// Output: `const __STEADFAST_RETRY: Retry = Retry::new().max(3);`, or a `let` where a value is
    ///         not known before run time
    pub(crate) fn declare(&mut self, name: &str, value: &TokenStream, constant: bool) -> Ident {
        let rt = &self.rt;
        let ty = format_ident!("{name}");
        let name = format!("__steadfast_{}{}", name.to_lowercase(), self.depth);
        if constant {
            let name = format_ident!("{}", name.to_uppercase());
            let declaration = quote!(const #name: #rt::#ty = #value;);
            self.declare_first(declaration);
            name
        } else {
            let name = format_ident!("{name}");
            let declaration = quote!(let #name: #rt::#ty = #value;);
            self.declare_first(declaration);
            name
        }
    }

    /// Policies are put around from the inside out, and declared in written order.
    pub(crate) fn declare_first(&mut self, declaration: TokenStream) {
        let rest = std::mem::replace(&mut self.setup, declaration);
        self.setup.extend(rest);
    }
}

/// Code on its way outwards.
pub(crate) enum Code {
    /// An expression that is a future of the function's outcome.
    Future(TokenStream),
    /// Statements and a tail expression that is the outcome, for an async context.
    Statements(TokenStream),
}

impl Code {
    /// The block is `move`, since what has statements runs once: the future is `Send` as the plain
    /// one is, and what it owns is dropped in the plain one's order.
    ///
    /// Input:  statements
    /// Output: `async move { <captures> <type edge> statements }`
    pub(crate) fn into_future(self, cx: &Context<'_>) -> TokenStream {
        match self {
            Self::Future(future) => future,
            Self::Statements(statements) => {
                let captures = cx.func.capture(&statements);
                let edge = cx.func.type_edge(&cx.rt);
                quote!(async move { #captures #edge #statements })
            }
        }
    }

    /// Input:  a future
    /// Output: `future.await`
    pub(crate) fn into_statements(self) -> TokenStream {
        match self {
            Self::Future(future) => quote!(#future.await),
            Self::Statements(statements) => statements,
        }
    }
}

/// Whether an argument of this name belongs to the function.
pub(crate) fn did_you_mean_argument(func: &Func, name: &Ident) -> String {
    let written = name.to_string();
    let arguments: Vec<_> = func.arguments().names().iter().map(ToString::to_string).collect();
    match nearest(&written, arguments.iter().map(String::as_str)) {
        Some(near) => format!("no argument is called `{written}`: did you mean `{near}`?"),
        None => format!("no argument is called `{written}`"),
    }
}
