//! What stands behind a key: a literal, which is checked now, or an expression.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp, ext::IdentExt, spanned::Spanned};

use crate::{
    args::{Arg, Args, Key, Mistakes, list},
    duration,
    nearest::nearest,
    tokens::placed_at,
};

/// A value that is known now, or an expression that will be at run time.
pub(crate) enum Setting<T> {
    Known(T, Expr),
    Later(Expr),
}

impl<T: Clone> Setting<T> {
    pub(crate) fn known(&self) -> Option<T> {
        match self {
            Self::Known(value, _) => Some(value.clone()),
            Self::Later(_) => None,
        }
    }

    pub(crate) fn expr(&self) -> &Expr {
        match self {
            Self::Known(_, expr) | Self::Later(expr) => expr,
        }
    }
}

impl Setting<Duration> {
    /// The value as an expression.
    ///
    /// Input:  `"250ms"`
    /// Output: `::steadfast::private::v1::Duration::new(0u64, 250000000u32)`
    pub(crate) fn duration_tokens(&self, rt: &TokenStream) -> TokenStream {
        match self {
            Self::Later(expr) => expr.to_token_stream(),
            Self::Known(value, expr) => {
                let (seconds, nanos) = (value.as_secs(), value.subsec_nanos());
                quote_spanned!(expr.span()=> #rt::Duration::new(#seconds, #nanos))
            }
        }
    }
}

impl Setting<f64> {
    /// The value as an expression of type `f64`, though a whole number is written.
    pub(crate) fn number_tokens(&self) -> TokenStream {
        match self {
            Self::Later(expr) => expr.to_token_stream(),
            Self::Known(value, expr) => quote_spanned!(expr.span()=> #value),
        }
    }
}

/// Reads `"250ms"`, `250ms`, or an expression of type `Duration`.
pub(crate) fn duration(expr: &Expr, mistakes: &mut Mistakes) -> Option<Setting<Duration>> {
    let Some((negative, lit)) = literal(expr) else { return Some(Setting::Later(expr.clone())) };
    let text = match lit {
        Lit::Str(text) => text.value(),
        Lit::Int(number) => number.to_string(),
        Lit::Float(number) => number.to_string(),
        _ => {
            mistakes.at(expr, "this takes a duration, such as `\"250ms\"` or `\"2s\"`");
            return None;
        }
    };
    match duration::parse(&if negative { format!("-{text}") } else { text }) {
        Ok(value) => Some(Setting::Known(value, expr.clone())),
        Err(message) => {
            mistakes.at(expr, message);
            None
        }
    }
}

/// Reads a whole number, or an expression.
pub(crate) fn whole_number(
    key: &Key,
    expr: &Expr,
    mistakes: &mut Mistakes,
) -> Option<Setting<u32>> {
    let Some((negative, lit)) = literal(expr) else { return Some(Setting::Later(expr.clone())) };
    let number = match lit {
        Lit::Int(number) if !negative => number.base10_parse::<u32>(),
        _ => Err(syn::Error::new(expr.span(), "")),
    };
    if let Ok(value) = number {
        return Some(Setting::Known(value, expr.clone()));
    }
    let (name, most, example) = (key.name, u32::MAX, key.example);
    mistakes.at(expr, format_args!("`{name}` takes a whole number up to {most}: `{example}`"));
    None
}

/// Reads a number with or without a fraction, or an expression.
pub(crate) fn number(key: &Key, expr: &Expr, mistakes: &mut Mistakes) -> Option<Setting<f64>> {
    let Some((negative, lit)) = literal(expr) else { return Some(Setting::Later(expr.clone())) };
    let number = match lit {
        Lit::Int(number) => number.base10_parse::<f64>(),
        Lit::Float(number) => number.base10_parse::<f64>(),
        _ => Err(syn::Error::new(expr.span(), "")),
    };
    if let Some(value) = number.ok().filter(|value| value.is_finite()) {
        return Some(Setting::Known(if negative { -value } else { value }, expr.clone()));
    }
    mistakes.at(expr, format_args!("`{}` takes a number: `{}`", key.name, key.example));
    None
}

/// Reads one of a few names, quoted or not, or an expression.
///
/// `choices` pairs each name with the variant that it stands for.
pub(crate) fn choice(
    key: &Key,
    choices: &[(&'static str, &'static str)],
    expr: &Expr,
    mistakes: &mut Mistakes,
) -> Option<Setting<Ident>> {
    let (name, quoted) = match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => (name.value(), true),
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) => (name.unraw().to_string(), false),
            None => return Some(Setting::Later(expr.clone())),
        },
        Expr::Lit(_) => (expr.to_token_stream().to_string(), true),
        _ => return Some(Setting::Later(expr.clone())),
    };
    if let Some((_, variant)) = choices.iter().find(|(choice, _)| *choice == name) {
        return Some(Setting::Known(Ident::new(variant, expr.span()), expr.clone()));
    }
    let names = choices.iter().map(|(choice, _)| *choice);
    let hint = match nearest(&name, names.clone()) {
        Some(near) => format!("did you mean `\"{near}\"`?"),
        // A name that is like none of the choices may be a constant of the user's.
        None if !quoted => return Some(Setting::Later(expr.clone())),
        None => format!("use one of {}", list(names.map(|name| format!("`\"{name}\"`")))),
    };
    mistakes
        .at(expr, format_args!("`{}` cannot be `{}`: {hint}", key.name, name.trim_matches('"')));
    None
}

/// The value behind a key, read by `read`.
pub(crate) fn keyed<T>(
    args: &mut Args,
    key: &Key,
    mistakes: &mut Mistakes,
    read: impl FnOnce(&Expr, &mut Mistakes) -> Option<Setting<T>>,
) -> Option<(Arg, Setting<T>)> {
    let arg = args.take(key, mistakes)?;
    let value = read(arg.value(key, mistakes)?, mistakes)?;
    Some((arg, value))
}

/// A closure or a path; a literal is neither.
pub(crate) fn callable(args: &mut Args, key: &Key, mistakes: &mut Mistakes) -> Option<Expr> {
    let arg = args.take(key, mistakes)?;
    let value = arg.value(key, mistakes)?;
    let Expr::Lit(ref lit) = *value else { return Some(value.clone()) };
    let (name, example) = (key.name, key.example);
    if name == "when" && is_text(lit, "any") {
        mistakes.at(value, format_args!("`any` is a word of its own: write `{name} = any`"));
    } else {
        mistakes.at(value, format_args!("`{name}` takes a closure or a path: `{example}`"));
    }
    None
}

/// A key that takes any expression.
pub(crate) fn expression(args: &mut Args, key: &Key, mistakes: &mut Mistakes) -> Option<Expr> {
    args.take(key, mistakes)?.value(key, mistakes).cloned()
}

/// A key that takes something which outlives the call, by its name.
pub(crate) struct Place {
    pub(crate) key: &'static Key,
    /// What to say of a literal.
    pub(crate) literal: &'static str,
    /// What to say of one that is made on the spot.
    pub(crate) made: &'static str,
}

/// The name of an item or a field; a literal is neither.
pub(crate) fn place(args: &mut Args, place: &Place, mistakes: &mut Mistakes) -> Option<Expr> {
    let arg = args.take(place.key, mistakes)?;
    let value = arg.value(place.key, mistakes)?;
    let name = place.key.name;
    match value {
        Expr::Lit(lit) if is_text(lit, "none") => {
            mistakes.at(value, format_args!("`none` is a word of its own: write `{name} = none`"));
        }
        value if is_word(value, "None") => {
            mistakes.at(value, format_args!("`{name}` cannot be `None`: did you mean `none`?"));
        }
        Expr::Lit(_) => mistakes.at(value, place.literal),
        value if is_made(value) => mistakes.at(value, place.made),
        value => return Some(value.clone()),
    }
    None
}

/// Whether the value is made on the spot: `CircuitBreaker::new(..)`, and setters behind it.
fn is_made(expr: &Expr) -> bool {
    match expr {
        Expr::MethodCall(call) => is_made(&call.receiver),
        Expr::Reference(reference) => is_made(&reference.expr),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "new"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the value is the same for every call: a literal, or several.
pub(crate) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Paren(paren) => is_constant(&paren.expr),
        Expr::Reference(reference) => is_constant(&reference.expr),
        Expr::Tuple(tuple) => !tuple.elems.is_empty() && tuple.elems.iter().all(is_constant),
        Expr::Unary(unary) => is_constant(&unary.expr),
        _ => false,
    }
}

/// Borrows a value, with the reference placed at it; of a tuple, each element, which may be owned.
///
/// Input:  `host`, `id % 4`, `(tenant, host)`
/// Output: `&host`, `&(id % 4)`, `&(&tenant, &host)`
pub(crate) fn borrowed(expr: &Expr) -> TokenStream {
    let reference = placed_at(expr, &quote!(&));
    match expr {
        Expr::Tuple(tuple) if !tuple.elems.is_empty() => {
            let elements = tuple.elems.iter().map(borrowed);
            let mut group = Group::new(Delimiter::Parenthesis, quote!(#(#elements,)*));
            group.set_span(tuple.paren_token.span.join());
            quote!(#reference #group)
        }
        Expr::Binary(_) | Expr::Cast(_) | Expr::Range(_) => quote!(#reference (#expr)),
        _ => quote!(#reference #expr),
    }
}

/// Whether the literal is this text.
pub(crate) fn is_text(lit: &ExprLit, text: &str) -> bool {
    matches!(&lit.lit, Lit::Str(lit) if lit.value() == text)
}

/// Whether the value is this bare word, such as `none` or `any`.
pub(crate) fn is_word(expr: &Expr, word: &str) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident(word))
}

/// A literal, with its sign.
fn literal(expr: &Expr) -> Option<(bool, &Lit)> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some((false, lit)),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(ExprLit { lit, .. }) => Some((true, lit)),
            _ => None,
        },
        _ => None,
    }
}
