//! `#[derive(Fault)]`: reads the marks on an error type, and writes what they say.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, Fields, Index, Lit, LitStr, Member, Meta, Path,
    Token, ext::IdentExt, parse::Parse, parse_quote, punctuated::Punctuated,
};

use crate::{
    args::{Mistakes, list},
    nearest::nearest,
    tokens::{local, placed_at},
};

/// Input:
/// ```text
/// enum ApiError { #[fault(transient)] Busy, #[fault(throttled = after)] Slow { after: Duration } }
/// ```
/// Output:
/// ```text
/// impl Fault for ApiError {
///     fn class(&self) -> Class {
///         match self {
///             Self::Busy { .. } => Class::Transient,
///             Self::Slow { after: hint, .. } => Class::Throttled { retry_after: Option::from(*hint) },
///         }
///     }
/// }
/// ```
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(item) {
        Ok(input) => input,
        Err(mistake) => return mistake.to_compile_error(),
    };
    let mut mistakes = Mistakes::default();
    let mut krate: Path = parse_quote!(::steadfast);
    let on_type = marks(&input.attrs, Some(&mut krate), &mut mistakes);
    let rt = quote!(#krate::private::v1);
    let body = match &input.data {
        Data::Enum(data) => {
            for mark in on_type.iter().flatten() {
                mistakes.at(
                    &mark.name,
                    "mark each variant, not the enum, so that a new variant cannot be forgotten",
                );
            }
            let arms = data.variants.iter().map(|variant| {
                let marks = marks(&variant.attrs, None, &mut mistakes);
                let name = &variant.ident;
                let class = class(name, &variant.fields, marks, &rt, &mut mistakes);
                let Arm { binding, class } = class.unwrap_or_default();
                quote!(Self::#name { #binding .. } => #class,)
            });
            let arms = arms.collect::<TokenStream>();
            if data.variants.is_empty() {
                quote!(match *self {})
            } else {
                quote!(match self { #arms })
            }
        }
        Data::Struct(data) => {
            let class = class(&input.ident, &data.fields, on_type, &rt, &mut mistakes);
            let Arm { binding, class } = class.unwrap_or_default();
            quote!(match self { Self { #binding .. } => #class })
        }
        Data::Union(data) => {
            mistakes.at(
                &data.union_token,
                "`Fault` is derived for enums and structs: implement it by hand for a union",
            );
            TokenStream::new()
        }
    };
    let error = mistakes.into_error().map(|error| error.to_compile_error());
    // The type keeps its `Fault`, so that nobody who uses it gets an error of their own.
    let body = if error.is_some() { quote!(loop {}) } else { body };
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    quote! {
        #error
        #[automatically_derived]
        impl #generics #rt::Fault for #name #arguments #bounds {
            fn class(&self) -> #rt::Class {
                #body
            }
        }
    }
}

/// One arm of the match: what it binds, and what it says.
#[derive(Default)]
struct Arm {
    binding: TokenStream,
    class: TokenStream,
}

/// `transient`, or `throttled = field`.
struct Mark {
    name: Ident,
    value: Option<Expr>,
}

impl Parse for Mark {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        if let Ok(text) = input.parse::<LitStr>() {
            let message = format!("write the class without quotes: `#[fault({})]`", text.value());
            return Err(syn::Error::new(text.span(), message));
        }
        let name = input.call(Ident::parse_any)?;
        let equals = input.parse::<Option<Token![=]>>()?;
        let value = equals.map(|_| input.parse()).transpose()?;
        Ok(Self { name, value })
    }
}

/// Reads all `#[fault(..)]` attributes; `crate = path` among them goes into `krate`.
///
/// `None` where one could not be read, which has been noted.
fn marks(
    attrs: &[Attribute],
    mut krate: Option<&mut Path>,
    mistakes: &mut Mistakes,
) -> Option<Vec<Mark>> {
    let mut unread = false;
    let mut marks = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("fault")) {
        let Meta::List(_) = &attr.meta else {
            mistakes.at(
                &attr.meta,
                format_args!("write the class in parentheses: `#[fault({TRANSIENT})]`"),
            );
            unread = true;
            continue;
        };
        match attr.parse_args_with(Punctuated::<Mark, Token![,]>::parse_terminated) {
            Err(mistake) => {
                mistakes.note(mistake);
                unread = true;
            }
            Ok(read) if read.is_empty() => {
                mistakes
                    .at(&attr.meta, format_args!("a class is missing: use one of {}", classes()));
                unread = true;
            }
            Ok(read) => {
                for mark in read {
                    match (&mark.value, krate.as_deref_mut()) {
                        (Some(Expr::Path(path)), Some(krate)) if mark.name == "crate" => {
                            *krate = path.path.clone();
                        }
                        _ => marks.push(mark),
                    }
                }
            }
        }
    }
    (!unread).then_some(marks)
}

fn class(
    name: &Ident,
    fields: &Fields,
    marks: Option<Vec<Mark>>,
    rt: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<Arm> {
    let mut marks = marks?.into_iter();
    let Some(mark) = marks.next() else {
        mistakes.at(
            name,
            format_args!(
                "`{name}` does not say what it means: mark it with `#[fault(..)]`, one of {}",
                classes()
            ),
        );
        return None;
    };
    for second in marks {
        mistakes.at(&second.name, format_args!("`{name}` has a class already: keep one"));
    }
    let simple = |class: TokenStream| Some(Arm { binding: TokenStream::new(), class });
    let written = mark.name.to_string();
    if let (Some(value), false) = (&mark.value, written == THROTTLED) {
        mistakes.at(value, format_args!("`{written}` takes no value: write `#[fault({written})]`"));
        return None;
    }
    match written.as_str() {
        AMBIGUOUS => simple(quote!(#rt::Class::Ambiguous)),
        PERMANENT => simple(quote!(#rt::Class::Permanent)),
        TRANSIENT => simple(quote!(#rt::Class::Transient)),
        TRANSPARENT => transparent(&mark.name, fields, rt, mistakes),
        THROTTLED => match &mark.value {
            None => simple(quote!(#rt::Class::Throttled { retry_after: #rt::Option::None })),
            Some(value) => throttled(value, fields, rt, mistakes),
        },
        _ => {
            let hint = match nearest(&written, CLASSES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("use one of {}", classes()),
            };
            mistakes.at(&mark.name, format_args!("`{written}` is not a class of faults: {hint}"));
            None
        }
    }
}

/// Asks the one field, or the one that `thiserror` knows as the source.
fn transparent(
    mark: &Ident,
    fields: &Fields,
    rt: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<Arm> {
    let is_source = |field: &&syn::Field| {
        field.ident.as_ref().is_some_and(|name| name == "source")
            || field.attrs.iter().any(|a| a.path().is_ident("from") || a.path().is_ident("source"))
    };
    let alone = fields.len() == 1;
    let mut pairs = fields.iter().zip(fields.members());
    let Some((field, member)) = pairs.find(|(field, _)| alone || is_source(field)) else {
        mistakes.at(
            mark,
            "`transparent` asks the inner error: have one field, or mark one `#[source]`",
        );
        return None;
    };
    let ty = &field.ty;
    // The bound is reported at the field's type.
    let ask = placed_at(ty, &quote!(#rt::Fault::class));
    let inner = local("__steadfast_inner");
    let argument = placed_at(ty, &quote!(#inner));
    Some(Arm { binding: quote!(#member: #inner,), class: quote!(#ask(#argument)) })
}

/// Input:  `throttled = retry_after` (or `throttled = 0` for the first field of a tuple)
/// Output: `Class::Throttled { retry_after: Option::<Duration>::from(*hint) }`
fn throttled(
    value: &Expr,
    fields: &Fields,
    rt: &TokenStream,
    mistakes: &mut Mistakes,
) -> Option<Arm> {
    let member = match value {
        Expr::Path(path) => path.path.get_ident().cloned().map(Member::Named),
        Expr::Lit(ExprLit { lit: Lit::Int(index), .. }) => index
            .base10_parse()
            .ok()
            .map(|number| Member::Unnamed(Index { index: number, span: index.span() })),
        _ => None,
    };
    let Some(member) = member else {
        mistakes.at(value, "`throttled` takes the name of a field: `throttled = retry_after`");
        return None;
    };
    if !fields.members().any(|field| field == member) {
        let written = member.to_token_stream().to_string();
        let names: Vec<_> = fields.members().map(|f| f.to_token_stream().to_string()).collect();
        let message = match nearest(&written, names.iter().map(String::as_str)) {
            Some(near) => format!("no field is called `{written}`: did you mean `{near}`?"),
            None if names.is_empty() => {
                format!("there is no field here that could be `{written}`: leave it out")
            }
            None => format!(
                "no field is called `{written}`: use one of {}",
                list(names.iter().map(|n| format!("`{n}`")))
            ),
        };
        mistakes.at(value, message);
        return None;
    }
    // The bound is reported at the field's name.
    let convert = placed_at(value, &quote!(#rt::Hint::hint));
    let hint = local("__steadfast_hint");
    let argument = placed_at(value, &quote!(#hint));
    Some(Arm {
        binding: quote!(#member: #hint,),
        class: quote!(#rt::Class::Throttled { retry_after: #convert(#argument) }),
    })
}

fn classes() -> String {
    CLASSES.map(|class| format!("`{class}`")).join(", ")
}

const AMBIGUOUS: &str = "ambiguous";
const PERMANENT: &str = "permanent";
const THROTTLED: &str = "throttled";
const TRANSIENT: &str = "transient";
const TRANSPARENT: &str = "transparent";
const CLASSES: [&str; 5] = [TRANSIENT, PERMANENT, AMBIGUOUS, THROTTLED, TRANSPARENT];
