//! The argument reader that all attributes share: keys, values, and what is wrong with them.

use std::{fmt::Display, mem::take, vec};

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Expr, Path, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    punctuated::Punctuated,
};

use crate::nearest::nearest;

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
    /// The whole of it, where it may be a value: all but `key = value`.
    written: TokenStream,
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
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    // What stands before was perhaps no argument at all: one mistake is enough.
                    if list.last().is_some_and(|arg: &Arg| arg.key.is_none()) {
                        list.pop();
                    }
                    mistakes.note(input.error("a comma is missing before this"));
                    skip_to_comma(input)?;
                    input.parse::<Option<Token![,]>>()?;
                }
            }
            Ok(())
        };
        if let Err(mistake) = parser.parse2(tokens) {
            mistakes.note(mistake);
        }
        Self { policy, list }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
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

    /// Whether there is one with this key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.list.iter().any(|arg| arg.is(key))
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
        let first = found.next()?;
        let written = first.written.clone();
        let first = first.into_value();
        if first.is_none() {
            mistakes.at(&written, format_args!("`{}` cannot read this as a value", self.policy));
        }
        for again in found {
            let message = match &again.key {
                // It looks more like a key than like another value.
                Some(key) if again.form == Form::Call => {
                    unknown_key(self.policy, &key.unraw().to_string(), keys)
                }
                _ => format!("`{}` takes one value: keep one", self.policy),
            };
            mistakes.at(&again.written, message);
        }
        first
    }

    /// Takes out all values without a key.
    pub(crate) fn take_values(&mut self, keys: &[Key], mistakes: &mut Mistakes) -> Vec<Expr> {
        let is_value = |arg: &Arg| arg.form != Form::Equals && !keys.iter().any(|key| arg.is(key));
        let mut values = Vec::new();
        for arg in self.take_where(is_value) {
            let written = arg.written.clone();
            match arg.into_value() {
                Some(value) => values.push(value),
                None => mistakes
                    .at(&written, format_args!("`{}` cannot read this as a value", self.policy)),
            }
        }
        values
    }

    /// Takes out `name = value` of one of these names.
    pub(crate) fn take_equals(&mut self, names: &[&str]) -> Option<Arg> {
        let wanted = |arg: &Arg| {
            let key = arg.key.as_ref().filter(|_| arg.form == Form::Equals);
            key.is_some_and(|key| names.iter().any(|name| key == name))
        };
        self.take_where(wanted).next()
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
                let message = format!(
                    "`{}` takes no value without a key: write it as in `{example}`",
                    self.policy
                );
                mistakes.at(&arg.written, message);
            }
        }
    }
}

impl Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let Ok(key) = Ident::parse_any(&ahead) else { return Self::parse_value(input) };
        if ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]) {
            Ident::parse_any(input)?;
            let equals = input.parse::<Token![=]>()?;
            if ends(input) {
                let message = format!("`{key}` needs a value behind the `=`");
                return Err(syn::Error::new_spanned(equals, message));
            }
            let values = vec![bare(input.parse()?)];
            let written = TokenStream::new();
            return Ok(Self { key: Some(key), form: Form::Equals, values, written });
        }
        if ahead.peek(Token![=>]) || ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
            let message = format!("`{key}` is set with `=`: write `{key} = ..`");
            return Err(ahead.error(message));
        }
        if ends(&ahead) {
            Ident::parse_any(input)?;
            let written = key.to_token_stream();
            return Ok(Self { key: Some(key), form: Form::Alone, values: Vec::new(), written });
        }
        if let Ok(group) = ahead.parse::<Group>() {
            if group.delimiter() == Delimiter::Parenthesis && ends(&ahead) {
                Ident::parse_any(input)?;
                input.parse::<Group>()?;
                let values = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(group.stream());
                let values = values?.into_iter().map(bare).collect();
                let written = quote!(#key #group);
                return Ok(Self { key: Some(key), form: Form::Call, values, written });
            }
        }
        Self::parse_value(input)
    }

    fn parse_value(input: ParseStream<'_>) -> syn::Result<Self> {
        let value = bare(input.parse()?);
        let written = value.to_token_stream();
        Ok(Self { key: None, form: Form::Alone, values: vec![value], written })
    }

    fn is(&self, key: &Key) -> bool {
        self.key.as_ref().is_some_and(|ident| ident.unraw() == key.name)
    }

    /// What looked like a key, read as the value that it is.
    fn into_value(self) -> Option<Expr> {
        syn::parse2(self.written).ok().map(bare)
    }

    /// The one value behind the key.
    pub(crate) fn value(&self, key: &Key, mistakes: &mut Mistakes) -> Option<&Expr> {
        match self.values.as_slice() {
            [value] => Some(value),
            [] => {
                let message = format!("`{}` needs a value: `{}`", key.name, key.example);
                mistakes.at(&self.key, message);
                None
            }
            [_, more, ..] => {
                let message = format!("`{}` takes one value: `{}`", key.name, key.example);
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
            mistakes.at(
                value,
                format_args!("`{0}` takes no value: write `{0}`, or leave it out", key.name),
            );
        }
    }

    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }
}

/// A literal that came through a `macro_rules!` fragment stands in a group without delimiters.
fn bare(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => bare(*group.expr),
        expr => expr,
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

fn unknown_key(policy: &str, key: &str, keys: &[Key]) -> String {
    let elsewhere =
        keys.iter().find(|known| known.elsewhere.contains(&key)).map(|known| known.name);
    if let Some(near) = elsewhere.or_else(|| nearest(key, keys.iter().map(|known| known.name))) {
        return format!("`{policy}` has no `{key}`: did you mean `{near}`?");
    }
    let names = list(keys.iter().map(|key| format!("`{}`", key.name)));
    let are = if keys.len() == 1 { "only key is" } else { "keys are" };
    format!("`{policy}` has no `{key}`: its {are} {names}")
}

pub(crate) fn list(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
