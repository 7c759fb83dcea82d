//! What `on_interrupted` takes.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, ExprLit, Lit, spanned::Spanned};

use super::keys::ON_INTERRUPTED;
use crate::{
    args::{Arg, Args, Mistakes},
    nearest::nearest,
};

/// What to do when a run was cut off.
pub(super) enum Interrupted {
    Known(Ident),
    /// Ask this function.
    FindOut(Expr),
}

/// `"fail"`, `"rerun"`, or the path of a function.
pub(super) fn on_interrupted(
    args: &mut Args,
    mistakes: &mut Mistakes,
) -> Option<(Arg, Interrupted)> {
    let arg = args.take(&ON_INTERRUPTED, mistakes)?;
    let value = arg.value(&ON_INTERRUPTED, mistakes)?.clone();
    let function = |tokens: &dyn ToTokens| tokens.to_token_stream().to_string().replace(' ', "");
    let message = match &value {
        Expr::Lit(ExprLit { lit: Lit::Str(word), .. }) => {
            let word = word.value();
            if let Some((_, variant)) = ON_INTERRUPTEDS.iter().find(|(known, _)| *known == word) {
                return Some((arg, Interrupted::Known(Ident::new(variant, value.span()))));
            }
            match nearest(&word, ON_INTERRUPTEDS.iter().map(|(known, _)| *known)) {
                Some(near) => format!("`on_interrupted` cannot be `{word}`: did you mean `\"{near}\"`?"),
                None => format!(
                    "`on_interrupted` cannot be `{word}`: use `\"fail\"` or `\"rerun\"`, or a function's path \
                     without quotes"
                ),
            }
        }
        Expr::Path(path) => match path.path.get_ident() {
            // It might be meant as the word, or be a function of that name.
            Some(word) if word == "fail" || word == "rerun" => format!(
                "write `\"{word}\"`; a function of that name is `self::{word}` or `Self::{word}`"
            ),
            _ => {
                return Some((arg, Interrupted::FindOut(value)));
            }
        },
        Expr::Call(call) => format!(
            "it is called with the function's own arguments: write `on_interrupted = {}`",
            function(&call.func)
        ),
        Expr::Field(field) => {
            format!("it is an async fn, by its path: write `Self::{}`", function(&field.member))
        }
        _ => "`on_interrupted` takes `\"fail\"`, `\"rerun\"`, or an async fn that finds out, by its path".to_owned(),
    };
    mistakes.at(&value, message);
    None
}

const ON_INTERRUPTEDS: &[(&str, &str)] = &[("fail", "Fail"), ("rerun", "Rerun")];
