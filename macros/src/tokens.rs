//! Finds and rewrites things in tokens that are not parsed.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

/// A group with other tokens, and the user's braces.
pub(crate) fn like(group: &Group, tokens: TokenStream) -> Group {
    let mut like = Group::new(group.delimiter(), tokens);
    like.set_span(group.span());
    like
}

/// The way to the braces of the future that a body ends with.
///
/// Input:  `{ .. async move { BODY } }` or `{ .. Box::pin(async move { BODY }) }`
/// Output: the way to `{ BODY }`
pub(crate) fn future_of(body: &Group) -> Option<Vec<usize>> {
    let tokens: Vec<_> = body.stream().into_iter().collect();
    let last = tokens.len().checked_sub(1)?;
    let TokenTree::Group(group) = &tokens[last] else { return None };
    match group.delimiter() {
        Delimiter::Brace => is_async(&tokens[..last]).then(|| vec![last]),
        Delimiter::Parenthesis if last > 0 && is_ident(&tokens[last - 1], "pin") => {
            let mut way = future_of(group)?;
            way.insert(0, last);
            Some(way)
        }
        _ => None,
    }
}

pub(crate) fn is_async(before: &[TokenTree]) -> bool {
    match before {
        [.., token, last] if is_ident(last, "move") => is_ident(token, "async"),
        [.., last] => is_ident(last, "async"),
        [] => false,
    }
}

/// Where `#[async_trait]` has put the body, and the type that it has written before it.
///
/// Input:  `{ .. let __ret: T = { BODY }; .. __ret }`
/// Output: the index of `{ BODY }`, and `T`
pub(crate) fn async_trait_type(group: &Group) -> Option<(usize, TokenStream)> {
    let tokens: Vec<_> = group.stream().into_iter().collect();
    let start = tokens
        .windows(3)
        .position(|w| is_ident(&w[0], "let") && is_ident(&w[1], "__ret") && is_punct(&w[2], ':'))?;
    let rest = tokens.get(start + 3..)?;
    let body = rest.windows(3).position(|w| {
        is_punct(&w[0], '=')
            && matches!(&w[1], TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            && is_punct(&w[2], ';')
    })?;
    Some((start + 3 + body + 1, rest[..body].iter().cloned().collect()))
}

pub(crate) fn names_a_future(output: &TokenStream) -> bool {
    output.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident.to_string().ends_with("Future") || ident == "Pin",
        TokenTree::Group(group) => names_a_future(&group.stream()),
        _ => false,
    })
}

/// What a future returns, by its type.
///
/// Input:  `impl Future<Output = T> + Send`, `Pin<Box<dyn Future<Output = T>>>`, `BoxFuture<'a, T>`
/// Output: `T`
pub(crate) fn output_type(ty: TokenStream) -> Option<TokenStream> {
    let tokens: Vec<_> = ty.into_iter().collect();
    let output = tokens.windows(2).position(|w| is_ident(&w[0], "Output") && is_punct(&w[1], '='));
    let start = if let Some(output) = output {
        output + 2
    } else {
        let is_alias = |token: &TokenTree| matches!(token, TokenTree::Ident(i) if i.to_string().ends_with("BoxFuture"));
        let first = tokens.iter().position(is_alias)? + 2;
        let end = first + end_of_type(tokens.get(first..)?);
        // `BoxFuture<'a, T>` or `BoxFuture<T>`
        if tokens.get(end).is_some_and(|token| is_punct(token, ',')) { end + 1 } else { first }
    };
    let rest = tokens.get(start..)?;
    Some(rest[..end_of_type(rest)].iter().cloned().collect())
}

/// `impl Trait` cannot be written in a body, but `_` can.
///
/// Input:  `Result<impl Iterator<Item = u8> + Send, E>`
/// Output: `Result<_, E>`
pub(crate) fn without_impl(ty: TokenStream) -> TokenStream {
    let tokens: Vec<_> = ty.into_iter().collect();
    let mut output = TokenStream::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            TokenTree::Ident(ident) if ident == "impl" => {
                output.extend(quote!(_));
                at += end_of_type(&tokens[at..]);
                continue;
            }
            TokenTree::Group(group) => {
                output.extend([TokenTree::Group(like(group, without_impl(group.stream())))]);
            }
            token => output.extend([token.clone()]),
        }
        at += 1;
    }
    output
}

/// How many tokens belong to the type that begins here.
pub(crate) fn end_of_type(tokens: &[TokenTree]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        let arrow = at > 0 && is_punct(&tokens[at - 1], '-');
        if is_punct(token, '<') {
            depth += 1;
        } else if is_punct(token, '>') && !arrow {
            match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => return at,
            }
        } else if depth == 0 && (is_punct(token, ',') || is_punct(token, ';')) {
            return at;
        }
    }
    tokens.len()
}

/// What `#[async_trait]` calls `self`.
pub(crate) const ASYNC_TRAIT_SELF: &str = "__self";

/// Takes `mut` off all that a pattern binds by value, but for `self`.
///
/// Input:  `(mut a, &mut b, ref mut c)`
/// Output: `(a, &mut b, ref mut c)`, and `mut a`
pub(crate) fn take_muts(tokens: TokenStream) -> (TokenStream, Vec<(TokenTree, Ident)>) {
    let mut muts = Vec::new();
    let mut output: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let by_reference =
            output.last().is_some_and(|last| is_ident(last, "ref") || is_punct(last, '&'));
        match (token, tokens.peek()) {
            (token, Some(TokenTree::Ident(name)))
                if is_ident(&token, "mut") && !by_reference && name != ASYNC_TRAIT_SELF =>
            {
                muts.push((token, name.clone()));
            }
            (TokenTree::Group(group), _) => {
                let (inner, inner_muts) = take_muts(group.stream());
                muts.extend(inner_muts);
                output.push(like(&group, inner).into());
            }
            (token, _) => output.push(token),
        }
    }
    (output.into_iter().collect(), muts)
}

/// Puts tokens of ours where the user's stand, so that rustc reports an unmet bound there.
///
/// They are resolved as mixed-site, unlike the call that they stand in: rustc then blames this path,
/// and not one of the call's arguments. It tells the same thing once if all spans are the same.
/// Stable Rust cannot join spans, so the last token stands at the user's last.
pub(crate) fn placed_at(at: &impl ToTokens, tokens: &TokenStream) -> TokenStream {
    let mut ends = at.to_token_stream().into_iter();
    let first = ends.next().map_or_else(Span::call_site, |token| token.span());
    let last = ends.last().map_or(first, |token| token.span());
    let mut tokens: Vec<_> = tokens.clone().into_iter().collect();
    let end = tokens.len().saturating_sub(1);
    for (at, token) in tokens.iter_mut().enumerate() {
        let place = if at == end { last } else { first };
        token.set_span(place.resolved_at(Span::mixed_site()));
    }
    tokens.into_iter().collect()
}

/// A local of the expansion, which may stand in tokens that are [placed](placed_at).
pub(crate) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

pub(crate) fn contains(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => contains(group.stream(), name),
        _ => false,
    })
}

/// Whether a name is used, or may be, as in `format!("{name}")`.
pub(crate) fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Literal(literal) => literal.to_string().contains(name),
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) => false,
    })
}

/// Calls something else what is called `from`.
pub(crate) fn renamed(tokens: TokenStream, from: &str, to: &str) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) if ident == from => Ident::new(to, ident.span()).into(),
            TokenTree::Group(group) => like(&group, renamed(group.stream(), from, to)).into(),
            token => token,
        })
        .collect()
}

/// Whether a type has a reference or a lifetime in it that is not `'static`: not one behind a `fn(..)`.
///
/// Input:  `&str`, `Option<&str>`, `Cow<'a, str>`
/// Output: `true`
pub(crate) fn borrows(ty: &TokenStream) -> bool {
    let tokens: Vec<_> = ty.clone().into_iter().collect();
    let is_static = |at: usize| matches!(tokens.get(at..at + 2), Some([quote, name]) if is_punct(quote, '\'') && is_ident(name, "static"));
    tokens.iter().enumerate().any(|(at, token)| match token {
        token if is_punct(token, '&') => !is_static(at + 1),
        token if is_punct(token, '\'') => !is_static(at),
        _ => false,
    })
}

pub(crate) fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

pub(crate) fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

/// A span for tokens of ours that rustc may report: at the user's tokens, resolved as ours.
pub(crate) fn reported_at(tokens: &impl ToTokens) -> Span {
    tokens.span().resolved_at(Span::mixed_site())
}

/// Lets clippy's restriction lints know that a name which shadows an argument is not the user's.
pub(crate) fn shadowing(own: &TokenStream) -> TokenStream {
    quote! {
        #[allow(clippy::redundant_locals, clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
        #own
    }
}
