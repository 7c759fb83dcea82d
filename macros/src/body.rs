//! The body: tokens, and the way down to the braces of the future in them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{
    AttrStyle, Attribute,
    parse::{ParseStream, Parser},
};

use crate::tokens::{is_punct, like};

#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) group: Group,
    /// The way from the group down to the braces of the future: the index of a group in each.
    pub(crate) path: Vec<usize>,
}

impl Body {
    pub(crate) fn inner(&self) -> Group {
        self.at(&self.path)
    }

    pub(crate) fn at(&self, way: &[usize]) -> Group {
        way.iter().fold(self.group.clone(), |group, &index| {
            match group.stream().into_iter().nth(index) {
                Some(TokenTree::Group(inner)) => inner,
                _ => group,
            }
        })
    }

    pub(crate) fn replace(&mut self, way: &[usize], with: TokenStream) {
        self.group = replaced(&self.group, way, with);
    }

    /// Each `return` by which the function is left without its future.
    pub(crate) fn returns_before_the_future(&self) -> Vec<TokenTree> {
        fn collect(tokens: impl Iterator<Item = TokenTree>, found: &mut Vec<TokenTree>) {
            // In a block or closure after one of these, `return` leaves that.
            let mut inside_another = false;
            for token in tokens {
                match &token {
                    TokenTree::Ident(ident) if ident == "return" && !inside_another => {
                        found.push(token);
                    }
                    TokenTree::Ident(ident) if ident == "async" || ident == "fn" => {
                        inside_another = true;
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '|' => inside_another = true,
                    TokenTree::Punct(punct) if punct.as_char() == ';' => inside_another = false,
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                        if !inside_another {
                            collect(group.stream().into_iter(), found);
                        }
                        inside_another = false;
                    }
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        let before = self.path.first().copied().unwrap_or(0);
        collect(self.group.stream().into_iter().take(before), &mut found);
        found
    }

    /// Whether the body is its future and nothing else.
    pub(crate) fn nothing_before_the_future(&self) -> bool {
        let length = self.group.stream().into_iter().count();
        match self.path.first() {
            None => true,
            // `async move { .. }`, or `Box::pin(async move { .. })` and the like
            Some(&index) => {
                index + 1 == length && index <= 8 && !contains_semicolon(&self.group, index)
            }
        }
    }
}

fn contains_semicolon(group: &Group, before: usize) -> bool {
    group.stream().into_iter().take(before).any(|token| is_punct(&token, ';'))
}

fn replaced(group: &Group, way: &[usize], with: TokenStream) -> Group {
    let Some((&index, way)) = way.split_first() else { return like(group, with) };
    // Not to be survived: the function would come out without its policies.
    let there = group.stream().into_iter().nth(index);
    assert!(matches!(there, Some(TokenTree::Group(_))), "the way to the future leads nowhere");
    let tokens = group.stream().into_iter().enumerate().map(|(at, token)| match token {
        TokenTree::Group(inner) if at == index => replaced(&inner, way, with.clone()).into(),
        token => token,
    });
    like(group, tokens.collect())
}

/// A `$body:block` of a `macro_rules!` macro comes in a group without delimiters.
pub(crate) fn unwrap_invisible(group: Group) -> Group {
    if group.delimiter() == Delimiter::None {
        let mut tokens = group.stream().into_iter();
        if let (Some(TokenTree::Group(inner)), None) = (tokens.next(), tokens.next()) {
            return unwrap_invisible(inner);
        }
    }
    group
}

/// `#![allow(..)]` may stand at the top of a function, and nowhere deeper.
pub(crate) fn lift_inner_attributes(group: &Group) -> syn::Result<(Vec<Attribute>, Group)> {
    let parser = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_inner)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (mut attrs, rest) = parser.parse2(group.stream())?;
    for attr in &mut attrs {
        attr.style = AttrStyle::Outer;
    }
    Ok((attrs, like(group, rest)))
}
