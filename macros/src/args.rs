//! The argument reader that all attributes share: keys, values, and what is wrong with them.

use std::{fmt::Display, mem::take, time::Duration, vec};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Expr, ExprLit, ExprUnary, Lit, Path, Token, UnOp,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
    token,
};

use crate::duration;

/// The mistakes found so far. Reading goes on after each, so that all are told at once.
#[derive(Default)]
pub(crate) struct Mistakes(Option<syn::Error>);

impl Mistakes {
    /// Notes a mistake at the tokens that are wrong.
    pub(crate) fn at(&mut self, tokens: &impl ToTokens, message: impl Display) {
        self.note(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn note(&mut self, mistake: syn::Error) {
        match &mut self.0 {
            Some(mistakes) => mistakes.combine(mistake),
            None => self.0 = Some(mistake),
        }
    }

    pub(crate) fn into_error(self) -> Option<syn::Error> {
        self.0
    }
}

/// A key that an attribute knows.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// How it is written, for a message.
    pub(crate) example: &'static str,
    /// What other libraries call it.
    pub(crate) elsewhere: &'static [&'static str],
}

/// The arguments of one attribute.
pub(crate) struct Args {
    policy: &'static str,
    list: Vec<Arg>,
}

/// `key`, `key = value`, `key(value, ..)`, or a value without a key.
pub(crate) struct Arg {
    key: Option<Ident>,
    form: Form,
    values: Vec<Expr>,
}

#[derive(PartialEq)]
enum Form {
    Alone,
    Call,
    Equals,
}

impl Args {
    /// Splits the arguments. One that is not well-formed is noted and left out.
    pub(crate) fn parse(
        policy: &'static str,
        tokens: TokenStream,
        mistakes: &mut Mistakes,
    ) -> Self {
        let mut list = Vec::new();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match Arg::parse(input) {
                    Ok(arg) => list.push(arg),
                    Err(mistake) => {
                        mistakes.note(mistake);
                        skip_to_comma(input)?;
                    }
                }
                if !input.is_empty() {
                    if let Err(mistake) = input.parse::<Token![,]>() {
                        mistakes.note(mistake);
                        skip_to_comma(input)?;
                        input.parse::<Option<Token![,]>>()?;
                    }
                }
            }
            Ok(())
        };
        if let Err(mistake) = parser.parse2(tokens) {
            mistakes.note(mistake);
        }
        Self { policy, list }
    }

    /// Takes out `crate = path`, which every attribute understands.
    pub(crate) fn take_crate(&mut self, mistakes: &mut Mistakes) -> Option<Path> {
        let key = Key { name: "crate", example: "crate = ::steadfast", elsewhere: &[] };
        let arg = self.take(&key, mistakes)?;
        match arg.value(&key, mistakes)? {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            other => {
                mistakes.at(other, "`crate` takes the path of the crate: `crate = ::steadfast`");
                None
            }
        }
    }

    /// Takes out the argument with this key; a second one is a mistake.
    pub(crate) fn take(&mut self, key: &Key, mistakes: &mut Mistakes) -> Option<Arg> {
        let mut found = self.take_where(|arg| arg.is(key));
        let first = found.next()?;
        for again in found {
            mistakes.at(&again.key, format_args!("`{}` stands here twice: keep one", key.name));
        }
        Some(first)
    }

    /// Takes out a value without a key: `"2s"`, `LIMIT`, `self.limit`, `limit_of(user)`.
    pub(crate) fn take_positional(
        &mut self,
        keys: &[Key],
        mistakes: &mut Mistakes,
    ) -> Option<Expr> {
        let mut found =
            self.take_where(|arg| arg.form != Form::Equals && !keys.iter().any(|key| arg.is(key)));
        let first = found.next()?.into_value();
        for again in found {
            let message = format_args!("`{}` takes one value: keep one", self.policy);
            mistakes.at(&again.into_value(), message);
        }
        first
    }

    fn take_where(&mut self, wanted: impl FnMut(&Arg) -> bool) -> vec::IntoIter<Arg> {
        let (found, rest): (Vec<_>, Vec<_>) = take(&mut self.list).into_iter().partition(wanted);
        self.list = rest;
        found.into_iter()
    }

    /// Notes all that nobody has taken.
    pub(crate) fn finish(self, keys: &[Key], mistakes: &mut Mistakes) {
        for arg in self.list {
            if let Some(key) = &arg.key {
                mistakes.at(key, unknown_key(self.policy, &key.unraw().to_string(), keys));
            } else {
                let example = keys.first().map_or("", |key| key.example);
                let message = format_args!(
                    "`{}` takes no value without a key: write it as in `{example}`",
                    self.policy
                );
                mistakes.at(&arg.into_value(), message);
            }
        }
    }
}

impl Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let Ok(key) = Ident::parse_any(&ahead) else { return Self::parse_value(input) };
        if ahead.peek(Token![=]) && !ahead.peek(Token![==]) {
            Ident::parse_any(input)?;
            let equals = input.parse::<Token![=]>()?;
            if ends(input) {
                let message = format!("`{key}` needs a value behind the `=`");
                return Err(syn::Error::new_spanned(equals, message));
            }
            let values = vec![input.parse()?];
            return Ok(Self { key: Some(key), form: Form::Equals, values });
        }
        if ends(&ahead) {
            Ident::parse_any(input)?;
            return Ok(Self { key: Some(key), form: Form::Alone, values: Vec::new() });
        }
        if ahead.peek(token::Paren) && ahead.parse::<TokenTree>().is_ok() && ends(&ahead) {
            Ident::parse_any(input)?;
            let content;
            parenthesized!(content in input);
            let values = content.parse_terminated(Expr::parse, Token![,])?.into_iter().collect();
            return Ok(Self { key: Some(key), form: Form::Call, values });
        }
        Self::parse_value(input)
    }

    fn parse_value(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { key: None, form: Form::Alone, values: vec![input.parse()?] })
    }

    fn is(&self, key: &Key) -> bool {
        self.key.as_ref().is_some_and(|ident| ident.unraw() == key.name)
    }

    /// What looked like a key, read as the value that it is.
    fn into_value(mut self) -> Option<Expr> {
        let (key, values) = (&self.key, &self.values);
        match (key, self.form) {
            (None, _) => self.values.pop(),
            (Some(key), Form::Call) => syn::parse2(quote!(#key(#(#values),*))).ok(),
            (Some(key), _) => syn::parse2(key.to_token_stream()).ok(),
        }
    }

    /// The one value behind the key.
    pub(crate) fn value(&self, key: &Key, mistakes: &mut Mistakes) -> Option<&Expr> {
        match self.values.as_slice() {
            [value] => Some(value),
            [] => {
                let message = format_args!("`{}` needs a value: `{}`", key.name, key.example);
                mistakes.at(&self.key, message);
                None
            }
            [_, more, ..] => {
                let message = format_args!("`{}` takes one value: `{}`", key.name, key.example);
                mistakes.at(more, message);
                None
            }
        }
    }

    /// All values behind the key.
    pub(crate) fn values(&self) -> &[Expr] {
        &self.values
    }

    pub(crate) fn flag(&self, key: &Key, mistakes: &mut Mistakes) {
        if let Some(value) = self.values.first() {
            mistakes.at(value, format_args!("`{0}` takes no value: write `{0}`", key.name));
        }
    }

    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }
}

fn ends(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !ends(input) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

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
    match number {
        Ok(value) => Some(Setting::Known(value, expr.clone())),
        Err(_) => {
            let message = format_args!(
                "`{}` takes a whole number up to {}: `{}`",
                key.name,
                u32::MAX,
                key.example
            );
            mistakes.at(expr, message);
            None
        }
    }
}

/// Reads a number with or without a fraction, or an expression.
pub(crate) fn number(key: &Key, expr: &Expr, mistakes: &mut Mistakes) -> Option<Setting<f64>> {
    let Some((negative, lit)) = literal(expr) else { return Some(Setting::Later(expr.clone())) };
    let number = match lit {
        Lit::Int(number) => number.base10_parse::<f64>(),
        Lit::Float(number) => number.base10_parse::<f64>(),
        _ => Err(syn::Error::new(expr.span(), "")),
    };
    match number {
        Ok(value) => Some(Setting::Known(if negative { -value } else { value }, expr.clone())),
        Err(_) => {
            mistakes.at(expr, format_args!("`{}` takes a number: `{}`", key.name, key.example));
            None
        }
    }
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

fn unknown_key(policy: &str, key: &str, keys: &[Key]) -> String {
    let elsewhere =
        keys.iter().find(|known| known.elsewhere.contains(&key)).map(|known| known.name);
    match elsewhere.or_else(|| nearest(key, keys.iter().map(|known| known.name))) {
        Some(near) => format!("`{policy}` has no `{key}`: did you mean `{near}`?"),
        None => {
            let names = list(keys.iter().map(|key| format!("`{}`", key.name)));
            format!("`{policy}` has no `{key}`: its keys are {names}")
        }
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The name that is like what was written: at most a third of its letters away.
pub(crate) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.map(|name| (distance(written, name), name)).min()?;
    let longer = near.1.len().max(written.len());
    (near.0 * 3 <= longer.max(3)).then_some(near.1)
}

/// How many letters were left out, put in, mistaken or swapped (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let mistaken = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let least = mistaken.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    if swapped { least.min(rows[i - 2][j - 2] + 1) } else { least }
                }
            };
        }
    }
    rows[a.len()][b.len()]
}

/// A span for tokens of ours that rustc may report: at the user's tokens, resolved as ours.
pub(crate) fn reported_at(tokens: &impl ToTokens) -> Span {
    tokens.span().resolved_at(Span::mixed_site())
}
